import type { Option } from './options.js';

// One object for each option that several commands take; interface of the commands: `efikit COMMAND --help`.
export const door: Option = {
  name: 'door',
  value: 'NAME',
  meaning: 'the way in: efi, pvh, linux64 (64-bit boot protocol) or proposal (the kernel through proposal-linux)',
  byDefault: 'efi where the image has a PE header, else pvh',
};
export const doors: Option = { name: 'doors', value: 'A,B', meaning: 'the doors to compare', byDefault: 'efi,pvh' };
export const profile: Option = {
  name: 'profile',
  value: 'NAME',
  meaning:
    'which EFI services exist: proposal, linux or loader (boot loaders and tools); tables: none, for the door linux64',
  byDefault: 'linux; proposal with the door proposal',
};
export const quirk: Option = {
  name: 'quirk',
  value: 'NAME[=VALUE]',
  meaning: 'let the EFI firmware be as troublesome as some are (docs/quirks.md lists the names); repeatable',
  multiple: true,
};
export const initrd: Option = {
  name: 'initrd',
  value: 'FILE',
  meaning: 'the initial RAM disk; "none" for none',
  byDefault: 'built in: prints USERSPACE-UP and powers off',
};
export const append: Option = {
  name: 'append',
  value: 'STRING',
  meaning: 'kernel command line',
  byDefault: 'console=ttyS0; console=hvc0 with --xen',
};
export const module: Option = {
  name: 'module',
  value: 'FILE[,STRING]',
  meaning: 'a module of hvm_start_info with its command line; repeatable',
  multiple: true,
};
export const memory: Option = { name: 'memory', value: 'SIZE', meaning: 'guest RAM, 64M to 3G', byDefault: '1G' };
export const explain: Option = {
  name: 'explain',
  meaning: 'a readable line on standard error for each firmware call, and the memory maps',
};
export const strict: Option = {
  name: 'strict',
  meaning: 'poison at each call what the ABI lets a firmware clobber',
};
export const vars: Option = {
  name: 'vars',
  value: 'FILE',
  meaning: 'variable store kept across runs; created when there is none (efikit vars shows it)',
  byDefault: 'in memory',
};
export const redZones: Option = {
  name: 'red-zones',
  meaning:
    'let 64 bytes around each block of the EFI pool belong to nobody, so that every overrun is found (docs/misuse.md)',
};
export const xen: Option = {
  name: 'xen',
  meaning: 'the guest is a PVH domain of Xen 4.17: its console is hvc0, there is no serial port',
};
export const until: Option = {
  name: 'until',
  value: 'WHAT',
  meaning: 'stop at exit-boot-services, kernel-entry, start_kernel, user-space, symbol:NAME or text:STRING',
  byDefault: "the guest's own end",
};
export const maxInstructions: Option = {
  name: 'max-instructions',
  value: 'N',
  meaning: 'stop after N instructions, status 3',
};
export const timeout: Option = { name: 'timeout', value: 'SECONDS', meaning: 'stop after this time, status 3' };
export const trace: Option = {
  name: 'trace',
  value: 'FILE',
  meaning: 'every firmware call as a line of JSON; "-" is standard error',
};
export const json: Option = {
  name: 'json',
  value: 'FILE',
  meaning: 'the result; "-" is standard output, with the console then on standard error',
};
export const html: Option = {
  name: 'html',
  value: 'FILE',
  meaning: 'the report as one page with pictures, which needs nothing besides',
};
export const only: Option = {
  name: 'only',
  value: 'NAMES',
  meaning: 'ask these probes alone, in full: names with commas between (docs/comparison.md lists them)',
  byDefault: 'all',
};
export const details: Option = { name: 'details', meaning: 'print everything that the probes found, not an overview' };
export const replay: Option = {
  name: 'replay',
  value: 'FILE',
  meaning: 'type what was typed in another run, at the same ticks: its --json result; standard input is not read',
};
export const digest: Option = {
  name: 'digest',
  value: 'N',
  meaning:
    'every N ticks (instructions, and nanoseconds of the guest) and at the end a line on standard error: tick, and hashes of processor, memory, devices and TLBs',
};
export const digestFile: Option = {
  name: 'digest-file',
  value: 'FILE',
  meaning: 'the lines of --digest go there',
};
export const tier: Option = {
  name: 'tier',
  value: 'NAME',
  meaning: 'interpreter: run without the hot tier',
  byDefault: 'both',
};
