import { createHash } from 'node:crypto';
import type { LoadedImage } from '../loaders/image.js';
import type { Outcome } from '../machine.js';
import type { ObservedBoot } from '../probe/observed-boot.js';
import { phaseRecords, type BootResult } from '../report/result.js';
import { version } from './version.js';

/** The image of a result. */
export const imageRecord = (path: string, { bytes, kind }: LoadedImage): BootResult['image'] => ({
  path,
  sha256: createHash('sha256').update(bytes).digest('hex'),
  kind,
});

/** The result of a boot that has ended, as --json writes it. */
export async function bootResult(
  run: ObservedBoot,
  { outcome, reason }: Outcome,
  about: { readonly image: BootResult['image']; readonly wallSeconds: number },
): Promise<BootResult> {
  const { consoleText } = await import('../report/terminal.js');
  return {
    efikit: version,
    image: about.image,
    door: run.setup.door,
    ...(run.firmware === undefined ? {} : { profile: run.firmware.profile.name }),
    memory: run.setup.memoryBytes,
    append: run.setup.options.commandLine,
    outcome,
    reason,
    instructions: run.machine.instructions,
    virtualNanoseconds: run.machine.ticks,
    wallSeconds: Math.round(about.wallSeconds * 1000) / 1000,
    phases: phaseRecords(run.phases),
    services: run.services.summary(),
    ...(run.machine.xen === undefined ? {} : { hypercalls: run.hypercalls.summary() }),
    ...(run.machine.typed.log.length === 0 ? {} : { typed: run.machine.typed.log }),
    console: await consoleText(run.console.bytes()),
  };
}
