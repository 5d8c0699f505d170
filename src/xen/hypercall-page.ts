/** The MSR at which a guest asks for its hypercall page: CPUID leaf +2. */
export const hypercallPageMsr = 0x4000_0000;

/** MSRs 0x40000000 to 0x400001ff are the hypervisor's; the first alone exists. */
export const isXenMsr = (index: number): boolean => index >= 0x4000_0000 && index < 0x4000_0200;

const PAGE = 4096;
const SLOT = 32;
const IRET = 23; // a PV call: HVM domains get UD2

/** 128 stubs `mov eax, number; vmcall; ret`, filled up with INT3. xen/arch/x86/hvm/vmx/vmx.c, svm/svm.c. */
export function hypercallPage(instruction: 'vmcall' | 'vmmcall'): Uint8Array {
  const page = new Uint8Array(PAGE).fill(0xcc);
  const last = instruction === 'vmcall' ? 0xc1 : 0xd9;
  for (let number = 0; number < PAGE / SLOT; number++) {
    const code = number === IRET ? [0x0f, 0x0b] : [0xb8, number, 0, 0, 0, 0x0f, 0x01, last, 0xc3];
    page.set(code, number * SLOT);
  }
  return page;
}
