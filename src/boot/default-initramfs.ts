import { concatenate } from '../bytes/concatenate.js';
import { Elf64Header, Elf64ProgramHeader } from '../../firmware-tables/image/elf.js';

// What runs as /init. System calls by number: Linux arch/x86/entry/syscalls/syscall_64.tbl.
// prettier-ignore
const program = Uint8Array.of(
  0x48, 0x81, 0xec, 0x88, 0x01, 0x00, 0x00, // sub rsp,0x188: room for struct utsname
  0x48, 0x89, 0xe7, // mov rdi,rsp
  0xb8, 0x3f, 0x00, 0x00, 0x00, // mov eax,0x3f: uname
  0x0f, 0x05, // syscall
  0x48, 0x8d, 0x7c, 0x24, 0x75, // lea rdi,[rsp+0x75]: 13 bytes before its release field
  0x48, 0x8d, 0x35, 0x61, 0x00, 0x00, 0x00, // lea rsi,[rip+text]
  0xb9, 0x0d, 0x00, 0x00, 0x00, // mov ecx,0xd
  0xfc, // cld
  0xf3, 0xa4, // rep movsb
  0x31, 0xc0, // xor eax,eax
  0xb9, 0x41, 0x00, 0x00, 0x00, // mov ecx,0x41
  0xf2, 0xae, // repne scasb
  0xc6, 0x47, 0xff, 0x0a, // mov byte ptr [rdi-0x1],0xa: its NUL becomes a line end
  0x48, 0x8d, 0x74, 0x24, 0x75, // lea rsi,[rsp+0x75]
  0x48, 0x89, 0xfa, // mov rdx,rdi
  0x48, 0x29, 0xf2, // sub rdx,rsi
  0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi,0x1
  0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax,0x1: write
  0x0f, 0x05, // syscall
  0xbf, 0x01, 0x00, 0x00, 0x00, // mov edi,0x1
  0xbe, 0x09, 0x54, 0x00, 0x00, // mov esi,0x5409: TCSBRK, argument 1: wait until the output is sent
  0xba, 0x01, 0x00, 0x00, 0x00, // mov edx,0x1
  0xb8, 0x10, 0x00, 0x00, 0x00, // mov eax,0x10: ioctl
  0x0f, 0x05, // syscall
  0xb8, 0xa2, 0x00, 0x00, 0x00, // mov eax,0xa2: sync
  0x0f, 0x05, // syscall
  0xbf, 0xad, 0xde, 0xe1, 0xfe, // mov edi,0xfee1dead
  0xbe, 0x69, 0x19, 0x12, 0x28, // mov esi,0x28121969
  0xba, 0xdc, 0xfe, 0x21, 0x43, // mov edx,0x4321fedc: LINUX_REBOOT_CMD_POWER_OFF
  0xb8, 0xa9, 0x00, 0x00, 0x00, // mov eax,0xa9: reboot
  0x0f, 0x05, // syscall
  0xeb, 0xfe, // jmp $
  ...new TextEncoder().encode('USERSPACE-UP '), // text
);

const loadAddress = 0x40_0000n;
const codeOffset = Elf64Header.size + Elf64ProgramHeader.size;

/** A static ELF executable with one read-and-execute segment: headers and program. */
function executable(): Uint8Array {
  const size = BigInt(codeOffset + program.length);
  return concatenate([
    Elf64Header.encode({
      e_ident: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
      e_type: 2, // ET_EXEC
      e_machine: 62, // EM_X86_64
      e_version: 1,
      e_entry: loadAddress + BigInt(codeOffset),
      e_phoff: BigInt(Elf64Header.size),
      e_ehsize: Elf64Header.size,
      e_phentsize: Elf64ProgramHeader.size,
      e_phnum: 1,
    }),
    Elf64ProgramHeader.encode({
      p_type: 1, // PT_LOAD
      p_flags: 5, // read, execute
      p_vaddr: loadAddress,
      p_paddr: loadAddress,
      p_filesz: size,
      p_memsz: size,
      p_align: 0x1000n,
    }),
    program,
  ]);
}

interface Member {
  readonly name: string;
  readonly mode: number;
  readonly device?: readonly [major: number, minor: number];
  readonly data?: Uint8Array;
}

/** One member of a cpio archive, format newc. Linux Documentation/driver-api/early-userspace/buffer-format.rst. */
function cpioMember({ name, mode, device = [0, 0], data = new Uint8Array() }: Member, inode: number): Uint8Array {
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length + 1, 0];
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
  const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);
  return concatenate([new TextEncoder().encode(header), padding(header.length), data, padding(data.length)]);
}

/**
 * The initrd of a boot without --initrd: an initramfs whose only program prints "USERSPACE-UP <kernel release>" and
 * powers off.
 */
export function defaultInitramfs(): Uint8Array {
  const members: Member[] = [
    { name: 'dev', mode: 0o040755 },
    { name: 'dev/console', mode: 0o020600, device: [5, 1] },
    { name: 'init', mode: 0o100755, data: executable() },
    { name: 'TRAILER!!!', mode: 0 },
  ];
  return concatenate(members.map(cpioMember));
}
