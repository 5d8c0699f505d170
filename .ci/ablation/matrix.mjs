// A fault matrix that was measured before: Debian's 6.1 and 6.12 cloud kernels under QEMU 7.2 (TCG) with a throw-away EFI of
// its own, an initrd, and a machine with PIC and PIT. Each row names the trials of `efikit ablate` that ask the same.

/** What became of the guest: it reached user space, its stub gave up, or it crashed or went no further. */
export const ends = { up: 'user space', exit: 'the stub calls Exit', crash: 'crashes or panics' };

export const matrix = [
  {
    forced: '`InstallConfigurationTable` = EFI_UNSUPPORTED',
    trials: ['InstallConfigurationTable=absent'],
    then: 'exit',
  },
  { forced: '`LocateDevicePath` = EFI_UNSUPPORTED', trials: ['LocateDevicePath=EFI_UNSUPPORTED'], then: 'exit' },
  {
    forced: '`LocateDevicePath` = EFI_NOT_FOUND',
    trials: ['LocateDevicePath=absent'],
    then: 'up',
    differs:
      'no initrd is found in either; the stub goes on, and the kernel then has a root file system or, as here, has none and panics',
  },
  { forced: '`LocateProtocol` = EFI_UNSUPPORTED', trials: ['LocateProtocol=EFI_UNSUPPORTED'], then: 'up' },
  { forced: '`LocateHandle` = EFI_UNSUPPORTED', trials: ['LocateHandle=EFI_UNSUPPORTED'], then: 'up' },
  { forced: '`FreePool` = EFI_UNSUPPORTED', trials: ['FreePool=absent'], then: 'up' },
  { forced: '`AllocatePool` = EFI_UNSUPPORTED', trials: ['AllocatePool=absent'], then: 'exit' },
  { forced: '`AllocatePages` = EFI_UNSUPPORTED', trials: ['AllocatePages=absent'], then: 'exit' },
  { forced: '`HandleProtocol` = EFI_UNSUPPORTED', trials: ['HandleProtocol=absent'], then: 'exit' },
  { forced: '`GetMemoryMap` = EFI_UNSUPPORTED', trials: ['GetMemoryMap=absent'], then: 'exit' },
  {
    forced: 'variable services = EFI_UNSUPPORTED',
    trials: ['GetVariable=EFI_UNSUPPORTED', 'GetNextVariableName=EFI_UNSUPPORTED', 'SetVariable=EFI_UNSUPPORTED'],
    then: 'up',
  },
  {
    forced: '`SetVirtualAddressMap` = EFI_UNSUPPORTED',
    trials: ['SetVirtualAddressMap=EFI_UNSUPPORTED'],
    then: 'up',
  },
  {
    forced: 'ConOut = NULL',
    trials: ['protocol:SimpleTextOutput=null'],
    then: 'crash',
    differs:
      'a stub that has nothing to say does not look at ConOut: the message about the initrd is gone in new kernels',
  },
  {
    forced: '`ExitBootServices` = EFI_INVALID_PARAMETER, once',
    trials: ['ExitBootServices=map-changes:once'],
    then: 'up',
  },
  {
    forced: 'no ACPI table',
    trials: ['table:Acpi20=absent'],
    then: 'up',
    differs:
      'that machine has the timer and the interrupt controller that a PC without ACPI falls back to, this one has neither',
  },
];
