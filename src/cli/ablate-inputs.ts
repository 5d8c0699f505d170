/** What `ablate` and each of its workers make of the same arguments. */
import { createHash } from 'node:crypto';
import type { AblationSetup } from '../ablate/job.js';
import type { Ablation } from '../ablate/result.js';
import { defaultDoor, doorRefuses } from '../boot/door-choice.js';
import { loadProcessorArtifacts } from '../host/processor-artifacts.js';
import { loadProposalLinux } from '../host/proposal-linux.js';
import { snapshotVersion } from '../snapshot.js';
import { bootInputs, chooseProfile, loadImage, parseDoor, parseQuirks, type BootInputs } from './boot-inputs.js';
import { imageRecord } from './boot-result.js';
import { UnusableInputError, UsageError } from './errors.js';
import type { Arguments } from './options.js';
import { version } from './version.js';

/** One image that is to be ablated. */
export interface AblationInputs {
  readonly setup: AblationSetup;
  /** What stands at the head of its result. */
  readonly about: Omit<Ablation, 'whole' | 'parts' | 'minimal' | 'tolerated' | 'cost' | 'release'>;
  /** A hash of everything that its runs depend on. */
  readonly fingerprint: string;
  /** What was filled in by default, as options. */
  readonly defaults: readonly string[];
}

/** Everything that can be wrong about the options alone, and what does not depend on the image. Throws UsageError or InputError. */
export function sharedInputs(args: Arguments): BootInputs {
  const door = args.text('door');
  if (door !== undefined) chooseProfile(args.text('profile'), parseDoor(door, 'door'));
  return bootInputs(args);
}

/** Reads an image and readies its runs. Throws UsageError, InputError or UnusableInputError. */
export async function ablationInputs(args: Arguments, file: string, inputs: BootInputs): Promise<AblationInputs> {
  const image = await loadImage(file);
  const given = args.text('door');
  const door = given === undefined ? defaultDoor(image) : parseDoor(given, 'door');
  const refusal = doorRefuses(door, image);
  if (refusal !== undefined) throw new UnusableInputError(`${file}: the door ${door} does not open: ${refusal}`);
  const { profile, filledIn } = chooseProfile(args.text('profile'), door);
  const quirks = args.texts('quirk');
  const { memoryBytes, options, shape } = inputs;
  if (options.linux64 !== undefined || (options.pvh !== undefined && door !== 'pvh'))
    throw new UsageError(`--pvh is for the door pvh, and this is ${door}`);
  const initrd = options.initrd && sha256(options.initrd);
  const about = {
    efikit: version,
    image: imageRecord(file, image),
    door,
    profile: profile.name,
    memory: memoryBytes,
    append: options.commandLine,
    initrd: initrd === undefined ? ('none' as const) : args.has('initrd') ? { sha256: initrd } : ('built-in' as const),
    xen: shape.xen !== undefined,
    strict: true,
  };
  const modules = options.modules.map(({ bytes, commandLine }) => [sha256(bytes), commandLine]);
  const depends = {
    ...about,
    image: about.image.sha256,
    initrd,
    quirks,
    modules,
    shape,
    pvh: options.pvh,
    snapshotVersion,
  };
  const hasFirmware = door === 'efi' || door === 'proposal';
  return {
    setup: {
      artifacts: loadProcessorArtifacts(),
      door,
      image,
      ...(door === 'proposal' ? { proposalLinux: loadProposalLinux() } : {}),
      profile,
      overrides: parseQuirks(quirks, door),
      strict: true,
      memoryBytes,
      ...shape,
      options,
    },
    about,
    fingerprint: sha256(new TextEncoder().encode(JSON.stringify(depends))).slice(0, 32),
    defaults: [
      ...(given === undefined ? [`--door ${door}`] : []),
      ...(filledIn && hasFirmware ? [`--profile ${profile.name}`] : []),
      '--strict',
      ...inputs.defaults,
    ],
  };
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
