import { Forker } from '../ablate/forker.js';
import { noInput } from '../host/console-input.js';
import { runMachine } from '../host/run-loop.js';
import { preferGuestThread } from '../host/thread-priority.js';
import type { FromWorker, ToWorker } from '../host/worker-pool.js';
import { ablationInputs, sharedInputs } from './ablate-inputs.js';
import { ablateOptions } from './ablate.js';
import type { Arguments, Command } from './options.js';

/** A process that runs the jobs of `ablate`; that command starts it with its own arguments and a channel. */
export const ablateWorker: Command = {
  name: 'ablate-worker',
  summary: 'Runs the jobs of efikit ablate, which starts it.',
  operands: 'IMAGE [IMAGE...] [OPTIONS]',
  options: ablateOptions,
  examples: ['efikit ablate IMAGE', 'efikit ablate --help'],
  run: work,
};

async function work(args: Arguments): Promise<number> {
  const inputs = sharedInputs(args);
  let current: { readonly image: number; readonly forker: Forker } | undefined;
  const forkerOf = async (image: number): Promise<Forker> => {
    if (current?.image === image) return current.forker;
    current = undefined;
    const { setup } = await ablationInputs(args, args.operands[image] ?? '', inputs);
    const forker = new Forker(setup, (machine, maxInstructions) =>
      runMachine(machine, { input: noInput, maxInstructions }),
    );
    current = { image, forker };
    return forker;
  };
  const answer = async (what: ToWorker): Promise<FromWorker> => {
    try {
      const forker = await forkerOf(what.image);
      preferGuestThread();
      const record = what.do === 'whole' ? await forker.whole(what.maxInstructions) : await forker.runOne(what.job);
      (globalThis as { readonly gc?: () => void }).gc?.(); // a machine's memory weighs nothing in V8's eyes
      return { record };
    } catch (error) {
      return { failed: error instanceof Error ? error.message : String(error) };
    }
  };
  process.on('message', (what: ToWorker) => {
    void answer(what).then((message) => process.send?.(message));
  });
  return new Promise((resolve) => {
    process.once('disconnect', () => {
      resolve(0);
    });
  });
}
