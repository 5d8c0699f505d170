import type { EntryState, SegmentState } from '../cpu/types.js';
import { FirmwareError } from '../firmware/errors.js';
import type { Firmware } from '../firmware/firmware.js';
import { Selector } from '../firmware/set-up/processor-tables.js';
import { BootError, type BootProtocol, type BootTarget } from './boot-protocol.js';

/** What this door needs of the machine: besides memory, the firmware. */
export interface EfiTarget extends BootTarget {
  readonly firmware: Firmware;
}

const limit = 0xffff_ffff;
const code64: SegmentState = { selector: Selector.code64, base: 0n, limit, attributes: 0xa09b };
const data: SegmentState = { selector: Selector.data, base: 0n, limit, attributes: 0xc093 };

const cr0 = 0x8001_0033n; // PG, WP, NE, ET, MP, PE
const cr4 = 0x0000_0620n; // OSXMMEXCPT, OSFXSR, PAE
const efer = 0x0000_0500n; // LMA, LME
const noExecuteEnable = 0x0000_0800n; // NXE
const interruptFlag = 0x0000_0202n; // IF; DF is clear

/** The PE entry point of an EFI application, in the state of UEFI 2.10 section 2.3.4. */
export const efi: BootProtocol<EfiTarget> = {
  name: 'efi',
  refuses: (image) =>
    image.pe ? undefined : 'the image has no x86-64 PE32+ header: a kernel needs CONFIG_EFI_STUB for this door',
  enter({ firmware, rsdp, map }, image, options): EntryState {
    if (!image.pe) throw new BootError('the image has no PE header: choose another door');
    try {
      const { commandLine, modules, initrd } = options;
      const entry = firmware.boot({
        image: image.pe,
        file: image.bytes,
        commandLine,
        modules,
        rsdp,
        ...(map ? { map } : {}),
        ...(initrd ? { initrd } : {}),
      });
      return {
        mode: 'long64',
        rip: BigInt(entry.entryPoint),
        registers: { rcx: entry.imageHandle, rdx: BigInt(entry.systemTable), rsp: BigInt(entry.stackPointer) },
        rflags: interruptFlag,
        cr0,
        cr3: BigInt(entry.pageTables),
        cr4,
        efer: entry.usesNoExecute ? efer | noExecuteEnable : efer,
        gdtr: { base: BigInt(entry.gdt.base), limit: entry.gdt.limit },
        idtr: { base: BigInt(entry.idt.base), limit: entry.idt.limit },
        segments: { cs: code64, ds: data, es: data, fs: data, gs: data, ss: data },
      };
    } catch (error) {
      if (error instanceof FirmwareError) throw new BootError(error.message, { cause: error });
      throw error;
    }
  },
};
