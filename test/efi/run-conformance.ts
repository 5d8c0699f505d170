import { readFileSync } from 'node:fs';
import { efi } from '../../src/boot/efi.js';
import { linux, proposal, type FirmwareEvent, type Overrides, type ServiceCall } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine, type Outcome } from '../../src/machine.js';

/** A line of the guest: `SECTION SERVICE: what: ok`, or `...: FAILED got STATUS`. */
export interface Check {
  readonly section: string;
  readonly service: string;
  readonly what: string;
  /** `ok`, or what came instead. */
  readonly result: string;
}

export interface ConformanceRun {
  readonly checks: readonly Check[];
  readonly outcome: Outcome | undefined;
  readonly calls: readonly ServiceCall[];
  /** Calls and events in their order. */
  readonly log: readonly (ServiceCall | FirmwareEvent)[];
  /** The gates that the guest executed. */
  readonly gates: readonly number[];
  readonly output: string;
}

const line = /^(\d[\d.]*) ([^:]+): (.*): (ok|FAILED got .*)$/;
let artifacts: ReturnType<typeof loadProcessorArtifacts> | undefined;

/** Runs conformance.efi on 64 MiB with these words as its command line, at most 200 M ticks. */
export function runConformance(
  profile: 'proposal' | 'linux',
  words: string,
  overrides: Overrides = {},
): ConformanceRun {
  artifacts ??= loadProcessorArtifacts();
  const calls: ServiceCall[] = [];
  const log: (ServiceCall | FirmwareEvent)[] = [];
  const machine = new Machine({
    artifacts,
    memoryBytes: 64 << 20,
    profile: profile === 'linux' ? linux : proposal,
    overrides,
    strict: true,
    onServiceCall: (call) => {
      calls.push(call);
      log.push(call);
    },
    onFirmwareEvent: (event) => log.push(event),
  });
  const gates: number[] = [];
  const serve = machine.firmware.serve.bind(machine.firmware);
  machine.firmware.serve = (gate) => {
    gates.push(gate);
    serve(gate);
  };
  let output = '';
  machine.onConsole = (byte) => {
    output += String.fromCharCode(byte);
  };
  const image = readImage(readFileSync(new URL('conformance/conformance.efi', import.meta.url)));
  const initrd = new TextEncoder().encode('initrd');
  machine.boot(efi, image, { commandLine: words, modules: [], initrd });
  while (machine.outcome === undefined && machine.ticks < 200e6) machine.run(50e6);
  const checks = output.split('\r\n').flatMap((text) => {
    const [, section, service, what, result] = line.exec(text) ?? [];
    return section && service && what && result ? [{ section, service, what, result }] : [];
  });
  return { checks, outcome: machine.outcome, calls, log, gates, output };
}
