// What a page's worker runs in the browser checks: one boot, told as `efikit boot --json` tells it. Core alone: no Node.
import { ObservedBoot, consoleText, defaultInitramfs, profiles, readImage } from '../src/index.ts';
import { phaseRecords } from '../src/report/result.ts';

const slice = 20_000_000; // ticks; how a run is sliced never shows in the guest

/** Runs a guest with the built-in initrd to its end. */
export async function boot({ artifacts, bytes, door, profile, memory, append }) {
  const image = readImage(bytes);
  await image.prepare();
  const run = ObservedBoot.start({
    artifacts,
    door,
    image,
    profile: profiles.find(({ name }) => name === profile),
    strict: false,
    memoryBytes: memory,
    options: { commandLine: append, modules: [], initrd: defaultInitramfs() },
  });
  const { machine } = run;
  while (machine.outcome === undefined) {
    machine.run(slice);
    if (machine.outcome === undefined && machine.idle) {
      const next = machine.idleUntil();
      if (next === undefined) throw new Error('the guest waits for what cannot come');
      machine.skipTo(next);
    }
  }
  return {
    door,
    ...(run.firmware === undefined ? {} : { profile }),
    memory,
    append,
    ...run.outcome,
    instructions: machine.instructions,
    virtualNanoseconds: machine.ticks,
    phases: phaseRecords(run.phases),
    services: run.services.summary(),
    console: await consoleText(run.console.bytes()),
  };
}

const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/** One job as JSON carries it (browser-bundle.mjs: processorAsText, bootOptions), its result as JSON. */
export async function bootJob(text) {
  const { processor, image, door, options } = JSON.parse(text);
  const [core, cold, units, handlers] = [processor.core, processor.cold, processor.units, processor.handlers].map(
    fromBase64,
  );
  const artifacts = { ...processor, core, cold, units, handlers: new Uint16Array(handlers.buffer) };
  return JSON.stringify(await boot({ artifacts, bytes: fromBase64(image), door, ...options }));
}
