import { expect } from 'chai';
import { efi } from '../../src/boot/efi.js';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import type { TypedBytes } from '../../src/typed-input.js';
import { cachedFile, cachedKernel } from '../support/kernels.js';

interface Session {
  readonly ticks: number;
  readonly console: string;
  readonly typed: readonly TypedBytes[];
}

/** Boots to the shell and ends when the guest powers off; `answer` is called whenever the guest idles. */
function session(kernel: Uint8Array, initrd: Uint8Array, answer: (machine: Machine, console: string) => void): Session {
  const machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: 256 << 20, profile: linux });
  let console = '';
  machine.onConsole = (byte) => {
    console += String.fromCharCode(byte);
  };
  machine.boot(efi, readImage(kernel), { commandLine: 'console=ttyS0', initrd, modules: [] });
  answer(machine, console);
  while (machine.outcome === undefined) {
    machine.run(5_000_000);
    if (!machine.idle) continue;
    const typed = machine.typed.log.length;
    answer(machine, console);
    if (machine.typed.log.length > typed) continue; // the guest wakes at once
    machine.skipTo(machine.idleUntil() ?? machine.ticks + 1_000_000);
  }
  return { ticks: machine.ticks, console, typed: machine.typed.log };
}

describe('a session typed at the 6.1 shell', function () {
  this.timeout(120_000);

  it('is repeated to the tick by replaying its log', function () {
    const kernel = cachedKernel(this, '6.1-cloud');
    const initrd = cachedFile(this, 'initrd-shell.gz');
    const lines = ['uname -r\r', 'poweroff -f\r'];
    let prompts = 0;
    const first = session(kernel, initrd, (machine, console) => {
      if (console.split('/ # ').length - 1 <= prompts) return;
      prompts++;
      machine.typed.type(Buffer.from(lines.shift() ?? ''));
    });
    expect(first.typed).to.have.length(2);
    expect(first.console).to.match(/uname -r\r\n6\.1\.\S+cloud-amd64/);
    let started = false;
    const second = session(kernel, initrd, (machine) => {
      if (!started) machine.typed.replay(first.typed);
      started = true;
    });
    expect(second).to.deep.equal(first);
  });
});
