import { StartInfoFlag } from '../../firmware-tables/pvh/start-info.js';
import type { BootModule, BootOptions } from '../boot/boot-protocol.js';
import { defaultInitramfs } from '../boot/default-initramfs.js';
import { isDoorName, type DoorName } from '../boot/door-choice.js';
import { linux, profiles, proposal, type Overrides, type Profile } from '../firmware/profiles.js';
import { isOfMachine, QuirkError, quirkOverrides } from '../firmware/quirks.js';
import { hostCodecs } from '../host/codecs.js';
import { readInput } from '../host/files.js';
import { ImageError, type LoadedImage } from '../loaders/image.js';
import { readImage } from '../loaders/read-image.js';
import type { BootSetup } from '../probe/boot-setup.js';
import { memoryText } from '../report/numbers.js';
import { UnusableInputError, UsageError } from './errors.js';
import type { Arguments } from './options.js';
import { parseDom0, parsePlatform, parsePvh, parseSubarch } from './shape-options.js';

const smallestMemory = 64 * 2 ** 20;
const largestMemory = 3 * 2 ** 30;
const defaultAppend = { pc: 'console=ttyS0', xen: 'console=hvc0' } as const;

/** What of a boot does not depend on the door. */
export interface BootInputs {
  readonly memoryBytes: number;
  readonly options: BootOptions;
  /** The hypervisor and what stands around the processor. */
  readonly shape: Pick<BootSetup, 'xen' | 'platform'>;
  /** What was filled in by default, as options. */
  readonly defaults: readonly string[];
}

/** Reads an image and readies it for every door. Throws InputError or UnusableInputError. */
export async function loadImage(file: string): Promise<LoadedImage> {
  const bytes = readInput(file, 'the image');
  try {
    const image = readImage(bytes, { codecs: hostCodecs() });
    await image.prepare();
    return image;
  } catch (error) {
    if (error instanceof ImageError) throw new UnusableInputError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** --memory, --append, --initrd, --module, --xen and the options of the experiment. Throws UsageError or InputError. */
export function bootInputs(args: Arguments): BootInputs {
  const defaults: string[] = [];
  const memoryBytes = parseMemory(args.text('memory'), defaults);
  const append = args.text('append');
  const consoleOption = defaultAppend[args.flag('xen') ? 'xen' : 'pc'];
  if (append === undefined) defaults.push(`--append ${consoleOption}`);
  if (append?.includes('\0') === true) throw new UsageError('--append holds a NUL character');
  const initrdFile = args.text('initrd');
  if (initrdFile === undefined) defaults.push('--initrd (built in: prints USERSPACE-UP and powers off)');
  const initrd =
    initrdFile === undefined
      ? defaultInitramfs()
      : initrdFile === 'none'
        ? undefined
        : readInput(initrdFile, 'the initrd');
  const modules = args.texts('module').map(parseModule);
  const dom0 = parseDom0(args.text('dom0'), args.flag('xen'));
  const asDom0 = dom0 === undefined ? undefined : { flags: StartInfoFlag.PRIVILEGED | StartInfoFlag.INITDOMAIN };
  const given = parsePvh(args.text('pvh'));
  const pvh = given === undefined ? asDom0 : { ...asDom0, ...given };
  const linux64 = parseSubarch(args.text('subarch'));
  const platform = parsePlatform(args.text('platform'), args.flag('xen'));
  const shape = {
    ...(args.flag('xen') ? { xen: dom0 === undefined ? {} : { initialDomain: dom0 } } : {}),
    ...(platform === undefined ? {} : { platform }),
  };
  const options = {
    commandLine: append ?? consoleOption,
    modules,
    ...(initrd === undefined ? {} : { initrd }),
    ...(pvh === undefined ? {} : { pvh }),
    ...(linux64 === undefined ? {} : { linux64 }),
  };
  return { memoryBytes, options, shape, defaults };
}

/** `512M`, `1G`, `65536K` or bytes. Throws UsageError. */
function parseMemory(text: string | undefined, defaults: string[]): number {
  if (text === undefined) {
    defaults.push('--memory 1G');
    return 2 ** 30;
  }
  const match = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?$/i.exec(text);
  const unit = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[match?.[2]?.toUpperCase() ?? ''] ?? 1;
  const bytes = match === null ? NaN : Number(match[1]) * unit;
  if (!Number.isInteger(bytes)) throw new UsageError(`--memory ${text}: give a size such as 512M or 1G`);
  if (bytes < smallestMemory || bytes > largestMemory) {
    throw new UsageError(
      `--memory ${text}: the machine takes ${memoryText(smallestMemory)} to ${memoryText(largestMemory)}`,
    );
  }
  if (bytes % 4096 !== 0) throw new UsageError(`--memory ${text}: give a multiple of 4K`);
  return bytes;
}

/** FILE or FILE,COMMAND LINE. */
function parseModule(text: string): BootModule {
  const comma = text.indexOf(',');
  if (comma < 0) return { bytes: readInput(text, 'the module') };
  return { bytes: readInput(text.slice(0, comma), 'the module'), commandLine: text.slice(comma + 1) };
}

/** A door's name. Throws UsageError. */
export function parseDoor(text: string, option: string): DoorName {
  if (isDoorName(text)) return text;
  throw new UsageError(`--${option} ${text}: the doors are efi, pvh, linux64 and proposal`);
}

/** --profile for a door, and whether it was filled in. Throws UsageError. */
export function chooseProfile(text: string | undefined, door: DoorName): { profile: Profile; filledIn: boolean } {
  if (text === undefined) return { profile: door === 'proposal' ? proposal : linux, filledIn: true };
  const profile = profiles.find(({ name }) => name === text);
  if (profile === undefined)
    throw new UsageError(`--profile ${text}: the profiles are proposal, linux, loader and tables`);
  if (profile.handedOver === true && door !== 'linux64') {
    throw new UsageError(
      `--profile ${text} has no services, so that no image is entered through it: give --door linux64, where boot_params names its tables, or another profile`,
    );
  }
  return { profile, filledIn: false };
}

/** --quirk: those that change the firmware are for the doors by EFI. Throws UsageError. */
export function parseQuirks(texts: readonly string[], door: DoorName): Overrides {
  try {
    const overrides = quirkOverrides(texts);
    const other = texts.find((text) => !isOfMachine(text));
    if (other !== undefined && door !== 'efi' && door !== 'proposal') {
      throw new UsageError(
        `--quirk ${other} changes the EFI firmware, which the door ${door} does not use; take --door efi`,
      );
    }
    return overrides;
  } catch (error) {
    if (error instanceof QuirkError) throw new UsageError(`--quirk ${error.message}`);
    throw error;
  }
}

/** --tier. Throws UsageError. */
export function parseTier(text: string | undefined): 'both' | 'interpreter' {
  if (text === undefined || text === 'both' || text === 'interpreter') return text ?? 'both';
  throw new UsageError(`--tier ${text}: the choices are both and interpreter`);
}
