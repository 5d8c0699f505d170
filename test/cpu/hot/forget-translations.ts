/** Makes a processor as good as new for another program: nothing of what it decoded or compiled is left. */
import type { EmulatedProcessor } from '../../../src/cpu/processor.js';

interface Forgetful {
  forgetTranslations?(): void;
  readonly blocks: { clear(): void };
  readonly decoder: { reset(): void };
  readonly hot: { clear(): void; readonly losses?: Map<unknown, unknown> };
}

export function forgetTranslations(processor: EmulatedProcessor): void {
  const inside = processor as unknown as Forgetful;
  if (inside.forgetTranslations !== undefined) {
    inside.forgetTranslations();
    return;
  }
  inside.hot.clear();
  inside.hot.losses?.clear(); // else code at an address that earlier programs patched would stay cold
  inside.blocks.clear();
  inside.decoder.reset();
}
