import { expect } from 'chai';
import { pvh } from '../../src/boot/pvh.js';
import { formatDigest } from '../../src/digest.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import { cachedFile } from '../support/kernels.js';

describe('piped input at hvc0', function () {
  this.timeout(300_000);

  it('the run does not depend on when the bytes came, as long as they came before Linux opened its console', async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
    const initrd = cachedFile(this, 'initrd-shell.gz');
    await image.prepare();
    const artifacts = loadProcessorArtifacts();
    const runTo = (machine: Machine, tick: number): void => {
      while (machine.outcome === undefined && machine.ticks < tick) {
        machine.run(tick - machine.ticks);
        if (machine.idle) machine.skipTo(Math.min(tick, machine.idleUntil() ?? tick));
      }
    };
    const ends = [0, 300_000_000, 900_000_000].map((tick) => {
      const machine = new Machine({ artifacts, memoryBytes: 256 << 20, xen: {} });
      let text = '';
      machine.onConsole = (byte) => (text += String.fromCharCode(byte));
      machine.boot(pvh, image, { commandLine: 'console=hvc0', modules: [], initrd });
      runTo(machine, tick);
      machine.consoleDevice?.pipe(new TextEncoder().encode('echo "two  words"\npoweroff -f\n'));
      runTo(machine, 5_000_000_000);
      expect(text).to.match(/\ntwo {2}words\r\n/);
      expect(machine.outcome?.outcome).to.equal('powered-off');
      return formatDigest(machine.digest());
    });
    expect(new Set(ends).size).to.equal(1);
  });
});
