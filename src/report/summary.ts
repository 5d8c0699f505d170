import type { MissedService, Profile } from '../firmware/index.js';
import type { ServiceCount } from '../probe/service-log.js';

/** What the closing lines are made of. */
export interface SummaryInput {
  readonly door: string;
  readonly image: string;
  readonly services: readonly ServiceCount[];
  /** undefined for a guest without Xen. */
  readonly hypercalls?: readonly ServiceCount[] | undefined;
  /** undefined for doors without firmware. */
  readonly profile: Profile | undefined;
  readonly missed: readonly MissedService[];
  readonly succeeded: boolean;
}

/** The three lines at the end of a boot: what the guest asked of the firmware, what it never used, what to try next. */
export function closingLines(input: SummaryInput): [string, string, string] {
  return [askedLine(input), unusedLine(input), nextLine(input)];
}

function askedLine(input: SummaryInput): string {
  const { hypercalls } = input;
  const firmware = askedFirmware(input);
  if (hypercalls === undefined) return firmware;
  return `${firmware}; of Xen: ${hypercalls.length === 0 ? 'nothing' : counted(hypercalls)}`;
}

function askedFirmware({ services, profile, door }: SummaryInput): string {
  if (profile === undefined) return `asked: nothing, the door ${door} has no firmware services`;
  if (profile.handedOver === true) return `asked: nothing, the profile ${profile.name} has no services`;
  if (services.length === 0) return 'asked: no firmware service was called';
  return `asked: ${counted(services)}`;
}

const counted = (services: readonly ServiceCount[]): string =>
  services.map(({ name, calls }) => (calls === 1 ? name : `${name} x${String(calls)}`)).join(', ');

function unusedLine({ services, profile, door }: SummaryInput): string {
  if (profile === undefined)
    return `never used: all of EFI; the kernel got what it needs from ${handOver[door] ?? 'the door'}`;
  if (profile.handedOver === true) {
    return `never used: nothing to call; the kernel has tables alone (${Object.keys(profile.configurationTables).join(', ')}) and a memory map`;
  }
  const called = new Set(services.map(({ name }) => name));
  const unused = Object.keys(profile.services).filter((name) => !called.has(name));
  if (unused.length === 0) return `never used: nothing, every service of the profile ${profile.name} was called`;
  return `never used: ${unused.join(', ')} (profile ${profile.name})`;
}

const handOver: Readonly<Record<string, string>> = { pvh: 'hvm_start_info', linux64: 'boot_params (the zero page)' };

function nextLine({ missed, profile, door, image, succeeded }: SummaryInput): string {
  const [first] = missed;
  if (first !== undefined && profile !== undefined) {
    const calls = first.calls === 1 ? '' : ` (${String(first.calls)} calls)`;
    const where =
      first.profile === undefined
        ? `no profile that is built has it${succeeded ? '; the image went on without it' : ''}`
        : `the profile ${first.profile} has it: --profile ${first.profile}`;
    return `next: ${first.name} was called${calls} first of what the profile ${profile.name} lacks; ${where}`;
  }
  if (!succeeded && profile !== undefined) return `next: --explain shows each firmware call of this boot`;
  if (door === 'proposal')
    return `next: efikit compare ${image} --doors efi,pvh,proposal sets it beside the other doors`;
  return `next: efikit compare ${image} sets the doors of this image side by side`;
}
