import type { Firmware } from '../../firmware/index.js';
import type { CodeAreas } from './code-areas.js';
import { stretchOf, type Stretch, type TakenCounts } from './executed-code.js';

/** A processor that counts what it executes (MachineOptions.observing). */
export interface CountingProcessor {
  /** What was retired since the last take. */
  takeCounts(): TakenCounts;
}

/**
 * Takes the processor's counts whenever the guest passes a point of its way: what was executed is named while the memory
 * still is what it was then.
 */
export class ExecutionCounter {
  private from = 'entry';
  private inBootServices: boolean;

  constructor(
    private readonly processor: CountingProcessor,
    private readonly areas: CodeAreas,
    private readonly firmware: Pick<Firmware, 'bootServicesEnded'> | undefined,
    private readonly tell: (stretch: Stretch) => void,
  ) {
    this.inBootServices = firmware !== undefined;
  }

  /** The guest stands at a point: before its first instruction. */
  passed(point: string): void {
    if (point !== 'entry') this.take(point);
    this.from = point;
    this.inBootServices = this.firmware !== undefined && point !== 'exit-boot-services' && this.inBootServices;
  }

  /** The run is over. */
  ended(): void {
    this.take('end');
    this.from = 'end';
  }

  private take(to: string): void {
    const { from, inBootServices } = this;
    const stretch = stretchOf({ from, to, inBootServices }, this.processor.takeCounts(), this.areas);
    if (stretch.instructions > 0) this.tell(stretch);
  }
}
