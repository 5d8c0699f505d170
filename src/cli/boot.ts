import { defaultDoor, doorRefuses, type DoorName } from '../boot/door-choice.js';
import type { Profile } from '../firmware/index.js';
import { freeUnpacked } from '../host/free-unpacked.js';
import { loadProcessorArtifacts } from '../host/processor-artifacts.js';
import { loadProposalLinux } from '../host/proposal-linux.js';
import { readSnapshotFile } from '../host/snapshot-file.js';
import { preferGuestThread } from '../host/thread-priority.js';
import { ObservedBoot } from '../probe/observed-boot.js';
import { bootNotes } from '../probe/saved-boot.js';
import { grouped } from '../report/numbers.js';
import {
  bootInputs,
  chooseProfile,
  loadImage,
  parseDoor,
  parseQuirks,
  parseTier,
  type BootInputs,
} from './boot-inputs.js';
import * as option from './boot-options.js';
import { imageRecord } from './boot-result.js';
import { BootSession, type SessionOptions } from './boot-session.js';
import * as shapeOption from './shape-options.js';
import * as snapshotOption from './snapshot-options.js';
import { checkStoreDoor, openBootStore } from './boot-store.js';
import { readDigestRequest } from './digest-lines.js';
import { UnusableInputError, UsageError } from './errors.js';
import { readInputLog } from './input-log.js';
import type { Arguments, Command } from './options.js';

export const boot: Command = {
  name: 'boot',
  summary: 'Runs one image through one door; its console is yours (Ctrl-A x leaves).',
  operands: 'IMAGE [OPTIONS], or boot --resume FILE',
  options: [
    option.door,
    option.profile,
    option.quirk,
    option.initrd,
    option.append,
    option.module,
    option.memory,
    option.explain,
    option.strict,
    option.vars,
    option.xen,
    shapeOption.platform,
    shapeOption.pvh,
    shapeOption.subarch,
    shapeOption.dom0,
    option.until,
    snapshotOption.save,
    snapshotOption.saveAt,
    snapshotOption.resume,
    option.maxInstructions,
    option.timeout,
    option.trace,
    option.json,
    option.replay,
    option.digest,
    option.digestFile,
    option.tier,
  ],
  examples: [
    'efikit boot /boot/vmlinuz-$(uname -r)',
    'efikit boot ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --until user-space --save up.snapshot && efikit boot --resume up.snapshot',
  ],
  run: runBoot,
};

async function runBoot(args: Arguments): Promise<number> {
  if (args.text('resume') !== undefined) return resumeBoot(args, args.text('resume') ?? '');
  const file = args.image;
  const given = readOptions(args);
  const inputs = bootInputs(args);
  const image = await loadImage(file);
  const door = given.door ?? defaultDoor(image);
  const { profile, filledIn } = chooseProfile(args.text('profile'), door);
  const overrides = parseQuirks(args.texts('quirk'), door);
  const vars = args.text('vars');
  if (vars !== undefined) checkStoreDoor(door);
  if (inputs.options.pvh !== undefined && door !== 'pvh') {
    const name = args.text('pvh') === undefined ? 'dom0' : 'pvh';
    throw new UsageError(`--${name} is for the door pvh, and this is ${door}: give --door pvh or leave it out`);
  }
  if (inputs.options.linux64 !== undefined && door !== 'linux64') {
    throw new UsageError(`--subarch is for the door linux64, and this is ${door}: give --door linux64 or leave it out`);
  }
  const proposalLinux = door === 'proposal' ? loadProposalLinux() : undefined;

  const session = new BootSession(given, () => imageRecord(file, image), file);
  const hasFirmware = door === 'efi' || door === 'proposal'; // the other doors use a profile only where it is given
  /** Once the machine stands: a door that refuses the image comes before everything that the run writes. */
  const open = (): void => {
    const refusal = doorRefuses(door, image);
    if (refusal !== undefined) throw new UnusableInputError(`${file}: the door ${door} does not open: ${refusal}`);
    session.open(defaultsLine(given, door, hasFirmware && filledIn ? profile : undefined, inputs));
  };
  const store =
    vars === undefined || doorRefuses(door, image) !== undefined ? undefined : openBootStore(vars, session.say);
  preferGuestThread();
  const run = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door,
    image,
    ...(proposalLinux === undefined ? {} : { proposalLinux }),
    profile,
    overrides,
    strict: given.strict,
    tier: given.tier,
    memoryBytes: inputs.memoryBytes,
    ...inputs.shape,
    options: inputs.options,
    ...(store === undefined ? {} : { variables: store.variables, commitVariable: store.commitVariable }),
    ...(given.until === undefined ? {} : { until: given.until }),
    ...(session.saver && { landmarks: session.saver.landmarks }),
    kernelPhases: given.json !== undefined || given.explain || given.save !== undefined, // who else would see them?
    observer: session.observer,
    beforeEntry: open,
  });
  freeUnpacked(image);
  return session.finish(run, () => store?.close());
}

/** Goes on with a machine that `--save` kept. */
async function resumeBoot(args: Arguments, file: string): Promise<number> {
  snapshotOption.checkResume(args);
  const given = readOptions(args);
  const snapshot = readSnapshotFile(file);
  const { image } = bootNotes(snapshot).about as snapshotOption.SavedAbout;
  const session = new BootSession(given, () => image, image.path);
  preferGuestThread();
  const run = ObservedBoot.resume(
    {
      artifacts: loadProcessorArtifacts(),
      tier: given.tier,
      ...(given.until === undefined ? {} : { until: given.until }),
      ...(session.saver && { landmarks: session.saver.landmarks }),
      observer: session.observer,
    },
    snapshot,
  );
  const { instructions } = run.machine;
  const past = run.phases.at(-1)?.name ?? 'nothing';
  session.open(
    `goes on with ${image.path} through the door ${run.setup.door} at ${grouped(instructions)} instructions, past ${past}`,
  );
  return session.finish(run);
}

interface BootOptionsGiven extends SessionOptions {
  readonly door: DoorName | undefined;
  readonly strict: boolean;
}

/** Everything that can be wrong about the options alone. Throws UsageError, and InputError for a log that cannot be read. */
function readOptions(args: Arguments): BootOptionsGiven {
  const door = args.text('door');
  const until = args.text('until');
  const replay = args.text('replay');
  return {
    door: door === undefined ? undefined : parseDoor(door, 'door'),
    until: until === undefined ? undefined : checkUntil(until),
    maxInstructions: args.count('max-instructions'),
    timeout: args.seconds('timeout'),
    trace: args.text('trace'),
    json: args.text('json'),
    replay: replay === undefined ? undefined : { file: replay, log: readInputLog(replay) },
    digest: readDigestRequest(args),
    explain: args.flag('explain'),
    strict: args.flag('strict'),
    tier: parseTier(args.text('tier')),
    save: snapshotOption.readSaveRequest(args),
  };
}

export const checkUntil = (until: string): string => snapshotOption.checkPoint(until, 'until');

/** What the user left to us, in one line. */
function defaultsLine(
  given: BootOptionsGiven,
  door: DoorName,
  filledInProfile: Profile | undefined,
  inputs: BootInputs,
): string {
  const defaults = [
    ...(given.door === undefined ? [`--door ${door}`] : []),
    ...(filledInProfile === undefined ? [] : [`--profile ${filledInProfile.name}`]),
    ...inputs.defaults,
  ];
  return defaults.length === 0 ? 'defaults: none, every option is given' : `defaults: ${defaults.join(' ')}`;
}
