/** What a service is for: its colour and its letter in the strip of calls. */
export interface CallGroup {
  readonly name: string;
  readonly letter: string;
  readonly title: string;
}

const groups: readonly (CallGroup & { readonly pattern: RegExp })[] = [
  {
    name: 'exit',
    letter: 'X',
    title: 'end: ExitBootServices, Exit, ResetSystem',
    pattern: /^(ExitBootServices|Exit|ResetSystem)$/,
  },
  {
    name: 'memory',
    letter: 'M',
    title: 'memory',
    pattern: /^(Allocate|Free|GetMemoryMap|SetVirtualAddressMap|ConvertPointer)/,
  },
  { name: 'variable', letter: 'V', title: 'variables', pattern: /Variable/ },
  {
    name: 'image',
    letter: 'I',
    title: 'images and files',
    pattern: /^(LoadImage|StartImage|UnloadImage)$|^(LoadFile|SimpleFileSystem|File)/,
  },
  { name: 'console', letter: 'C', title: 'console', pattern: /^SimpleText|ConOut|ConIn/ },
  {
    name: 'protocol',
    letter: 'P',
    title: 'protocols, handles and tables',
    pattern: /Protocol|Handle|DevicePath|ConfigurationTable/,
  },
];
const other: CallGroup = { name: 'other', letter: 'O', title: 'others: events, time, capsules' };
const hypercall: CallGroup = { name: 'hypercall', letter: 'H', title: 'hypercalls' };

export const groupOf = (service: string): CallGroup => groups.find(({ pattern }) => pattern.test(service)) ?? other;

export const callGroups: readonly CallGroup[] = [...groups, other, hypercall];
export const hypercallGroup = hypercall;

/** Titles of the sections of UEFI 2.10 that hold services; those below them are named for the function. */
const chapters: Readonly<Record<string, string>> = {
  '7.1': 'Event, Timer, and Task Priority Services',
  '7.2': 'Memory Allocation Services',
  '7.3': 'Protocol Handler Services',
  '7.4': 'Image Services',
  '7.5': 'Miscellaneous Boot Services',
  '8.2': 'Variable Services',
  '8.3': 'Time Services',
  '8.4': 'Virtual Memory Services',
  '8.5': 'Miscellaneous Runtime Services',
  '9.1': 'EFI Loaded Image Protocol',
  '10.2': 'EFI Device Path Protocol',
  '12.3': 'Simple Text Input Protocol',
  '12.4': 'Simple Text Output Protocol',
  '13.1': 'Load File Protocol',
  '13.2': 'Load File 2 Protocol',
  '13.4': 'Simple File System Protocol',
  '13.5': 'File Protocol',
};

/** `UEFI 2.10 section 7.2.3, in "Memory Allocation Services"`. */
export function sectionText(section: string): string {
  const chapter = chapters[section.split('.').slice(0, 2).join('.')];
  return `UEFI 2.10 section ${section}${chapter === undefined ? '' : `, in "${chapter}"`}`;
}
