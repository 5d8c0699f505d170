import type { BackendState } from './backends.js';
import type { FifoState } from './fifo.js';
import type { Port } from './port.js';
import type { SharedPageState } from './shared-page.js';

/** What EventChannels saves: plain data. The guest's own memory is not in it. */
export interface EventChannelsState {
  readonly page: SharedPageState;
  readonly fifo: FifoState | null;
  readonly ports: readonly Port[];
  readonly virqs: readonly number[];
  readonly backends: readonly BackendState[];
}
