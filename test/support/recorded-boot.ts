import { readFileSync } from 'node:fs';
import type { PvhOptions } from '../../src/boot/boot-protocol.js';
import { doors } from '../../src/boot/index.js';
import { describeEnd, type ServiceCall } from '../../src/firmware/index.js';
import { formatDigest } from '../../src/digest.js';
import { profiles } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine, type MachineOptions } from '../../src/machine.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/snapshot.js';

export interface BootChoice {
  readonly image: string;
  readonly door: 'efi' | 'pvh' | 'linux64';
  readonly profile: string;
  readonly memoryBytes: number;
  readonly commandLine: string;
  readonly initrd?: string;
  readonly options?: Partial<MachineOptions>;
  readonly pvh?: PvhOptions;
}

/** What the guest did so far: it goes with a snapshot as notes. */
interface Record {
  console: string;
  services: string[];
}

/** What a run comes to, as plain data: two runs of the same guest give the same. */
export interface Ending extends Readonly<Record> {
  readonly outcome: string;
  readonly reason: string;
  readonly ticks: number;
  readonly instructions: number;
  readonly digest: string;
}

const callLine = (call: ServiceCall): string =>
  `${String(call.tick)} ${call.name} ${JSON.stringify(call.args)} ${JSON.stringify(call.results)} ${describeEnd(call)}`;

/** A machine whose console and service calls are written down across save and restore. */
export class RecordedBoot {
  private constructor(
    readonly machine: Machine,
    private readonly record: Record,
  ) {
    machine.onConsole = (byte) => {
      record.console += String.fromCharCode(byte);
    };
  }

  static async start(choice: BootChoice): Promise<RecordedBoot> {
    const record: Record = { console: '', services: [] };
    const image = readImage(readFileSync(choice.image));
    await image.prepare();
    const profile = profiles.find(({ name }) => name === choice.profile);
    const door = doors.find(({ name }) => name === choice.door);
    if (profile === undefined || door === undefined) throw new Error('no such profile or door');
    const machine = new Machine({
      artifacts: loadProcessorArtifacts(),
      memoryBytes: choice.memoryBytes,
      profile,
      onServiceCall: (call) => record.services.push(callLine(call)),
      ...choice.options,
    });
    const { commandLine, initrd, pvh } = choice;
    machine.boot(door, image, {
      commandLine,
      modules: [],
      ...(pvh && { pvh }),
      ...(initrd === undefined ? {} : { initrd: readFileSync(initrd) }),
    });
    return new RecordedBoot(machine, record);
  }

  static resume(bytes: Uint8Array): RecordedBoot {
    const snapshot = decodeSnapshot(bytes);
    const record = snapshot.notes as Record;
    const artifacts = loadProcessorArtifacts();
    const machine = Machine.restore(
      { artifacts, onServiceCall: (call) => record.services.push(callLine(call)) },
      snapshot,
    );
    return new RecordedBoot(machine, record);
  }

  save(): Uint8Array {
    return encodeSnapshot(this.machine.save(this.record));
  }

  /** Runs up to a tick or to the end. */
  runTo(tick: number): void {
    const { machine } = this;
    while (machine.outcome === undefined && machine.ticks < tick) {
      machine.run(tick - machine.ticks);
      if (!machine.idle) continue;
      const wake = machine.idleUntil();
      if (wake === undefined) throw new Error('the guest waits for input for ever');
      machine.skipTo(Math.min(wake, tick));
    }
  }

  finish(): Ending {
    this.runTo(Infinity);
    const { outcome, ticks, instructions } = this.machine;
    const { console, services } = this.record;
    const digest = formatDigest(this.machine.digest());
    return {
      outcome: outcome?.outcome ?? '',
      reason: outcome?.reason ?? '',
      ticks,
      instructions,
      console,
      services,
      digest,
    };
  }
}
