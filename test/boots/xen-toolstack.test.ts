import { expect } from 'chai';
import { pvh } from '../../src/boot/pvh.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../../src/snapshot.js';
import { cachedFile } from '../support/kernels.js';

const second = 1_000_000_000;
const control = '/local/domain/1/control';

describe('what xl asks of a running Linux through the store', function () {
  this.timeout(300_000);
  const artifacts = loadProcessorArtifacts();
  let shell: Snapshot | undefined; // 6.1 with its shell waiting

  const runTo = (machine: Machine, tick: number): void => {
    while (machine.outcome === undefined && machine.ticks < tick) {
      machine.run(tick - machine.ticks);
      if (machine.idle) machine.skipTo(Math.min(tick, machine.idleUntil() ?? tick));
    }
  };
  const restored = (snapshot = shell): Machine => {
    if (snapshot === undefined) throw new Error('the kernel did not start');
    return Machine.restore({ artifacts }, decodeSnapshot(encodeSnapshot(snapshot)));
  };
  /** The store, with what was asked and answered since, events left out. */
  const observed = (machine: Machine) => {
    if (machine.xen === undefined) throw new Error('no guest of Xen');
    const { store, storeRing } = machine.xen;
    const lines: string[] = [];
    storeRing.onMessage = (line) => {
      if (!line.startsWith('event')) lines.push(line);
    };
    return { store, lines };
  };

  before(async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
    const initrd = cachedFile(this, 'initrd-shell.gz');
    await image.prepare();
    const machine = new Machine({ artifacts, memoryBytes: 256 << 20, xen: {} });
    let text = '';
    machine.onConsole = (byte) => (text += String.fromCharCode(byte));
    machine.boot(pvh, image, { commandLine: 'console=hvc0', modules: [], initrd });
    runTo(machine, 4 * second);
    expect(text).to.match(/built-in shell/);
    shell = machine.save();
  });

  it('xl reboot: the guest acknowledges control/shutdown in a transaction and ends; saved and restored on the way', () => {
    const first = restored();
    observed(first).store.write(`${control}/shutdown`, 'reboot');
    const machine = restored(first.save());
    const { store, lines } = observed(machine);
    runTo(machine, machine.ticks + second);
    expect(lines).to.deep.equal([
      'TRANSACTION_START -> 3',
      '[3] READ control/shutdown -> "reboot"',
      '[3] WRITE control/shutdown = "" -> OK',
      '[3] TRANSACTION_END T -> OK',
    ]);
    expect(store.read(`${control}/shutdown`)).to.equal('');
    expect(machine.outcome).to.deep.equal({ outcome: 'reset', reason: 'SCHEDOP_shutdown(reboot)' });
  });
  it('xl sysrq b: the guest takes the key and restarts at once', () => {
    const machine = restored();
    const { store, lines } = observed(machine);
    store.write(`${control}/sysrq`, 'b');
    runTo(machine, machine.ticks + second);
    expect(lines).to.include('[3] READ control/sysrq -> "b"');
    expect(lines).to.include('[3] WRITE control/sysrq = "" -> OK');
    expect(machine.outcome).to.deep.equal({ outcome: 'reset', reason: 'SCHEDOP_shutdown(reboot)' });
  });
  it('a command that Linux does not know stays where it is, and the console says so', () => {
    const machine = restored();
    const { store } = observed(machine);
    let text = '';
    machine.onConsole = (byte) => (text += String.fromCharCode(byte));
    store.write(`${control}/shutdown`, 'dance');
    runTo(machine, machine.ticks + second);
    expect([store.read(`${control}/shutdown`), machine.outcome]).to.deep.equal(['dance', undefined]);
    expect(text).to.match(/Ignoring shutdown request: dance/);
  });
});
