import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { pvh } from '../../src/boot/pvh.js';
import { formatDigest } from '../../src/digest.js';
import { hostCodecs } from '../../src/host/codecs.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { Machine } from '../../src/machine.js';
import type { BootResult } from '../../src/report/result.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/snapshot.js';
import { efikit } from '../support/efikit.js';
import { cachedFile, kernelFolder, kernelNames } from '../support/kernels.js';

/** What Linux asks of Xen 4.17 from the entry to user space, by either door, as measured on Xen itself, with the answers. */
const asked: Readonly<Record<string, string>> = {
  XENVER_get_features: '0',
  XENMEM_add_to_physmap: '0',
  HVMOP_pagetable_dying: '-EINVAL',
  VCPUOP_register_vcpu_info: '0',
  EVTCHNOP_init_control: '0',
  HVMOP_set_evtchn_upcall_vector: '0',
  HVMOP_set_param: '0',
  HVMOP_get_param: '0',
  EVTCHNOP_send: '0',
  VCPUOP_stop_periodic_timer: '0',
  VCPUOP_register_runstate_memory_area: '0',
  EVTCHNOP_bind_virq: '0',
  EVTCHNOP_expand_array: '0',
  EVTCHNOP_set_priority: '0',
  VCPUOP_stop_singleshot_timer: '0',
  VCPUOP_set_singleshot_timer: '0',
  VMASST_CMD_enable: '0',
  EVTCHNOP_bind_ipi: '0',
  GNTTABOP_query_size: '0',
  GNTTABOP_set_version: '0',
  EVTCHNOP_bind_vcpu: '0',
  EVTCHNOP_unmask: '0',
};
/** The banner and a full console ring: not by every door. */
const sometimes: Readonly<Record<string, string>> = {
  XENVER_version: '0x40011',
  XENVER_extraversion: '0',
  SCHEDOP_yield: '0',
};

const shell = [
  'echo type $(cat /sys/hypervisor/type) $(cat /sys/hypervisor/guest_type)',
  'echo version $(cat /sys/hypervisor/version/major).$(cat /sys/hypervisor/version/minor)',
  'echo clock $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)',
  'sleep 3',
  'echo up $(cat /proc/uptime)',
];

describe('unmodified Debian kernels as PVH domains of Xen', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-xen-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const run = async (kernel: string, door: string, more: readonly string[], input = '') => {
    const json = path.join(folder, 'result.json');
    const args = ['boot', path.join(kernelFolder, `vmlinuz-${kernel}`), '--xen', '--door', door, '--memory', '512M'];
    const ended = await efikit([...args, '--json', json, ...more], { input });
    return { ...ended, result: JSON.parse(readFileSync(json, 'utf8')) as BootResult };
  };

  for (const kernel of kernelNames) {
    for (const door of ['pvh', 'efi']) {
      it(`${kernel} by ${door}: user space on hvc0, with the hypercalls that it makes under Xen and their answers`, async function () {
        cachedFile(this, `vmlinuz-${kernel}`);
        cachedFile(this, 'initrd.gz');
        const initrd = ['--initrd', path.join(kernelFolder, 'initrd.gz')];
        const { status, stdout, stderr, result } = await run(kernel, door, initrd);
        expect(status, stderr + stdout.slice(-2000)).to.equal(0);
        expect(stdout).to.match(/Hypervisor detected: Xen HVM[^]*kernel on Xen PVH[^]*^USERSPACE-UP/m);
        expect(result).to.include({ append: 'console=hvc0', outcome: 'powered-off' });
        const seen = Object.fromEntries(
          (result.hypercalls ?? []).map(({ name, statuses }) => [name, Object.keys(statuses).join(' ')]),
        );
        const rest = Object.fromEntries(Object.entries(seen).filter(([name]) => !(name in asked)));
        expect({ ...seen, ...asked }, 'all that Linux asks of Xen, answered alike').to.deep.equal(seen);
        expect({ ...sometimes, ...rest }, 'and nothing else').to.deep.equal(sometimes);
      });
    }
  }

  for (const door of ['pvh', 'efi']) {
    it(`a shell by ${door}: /sys/hypervisor, Xen's clock, sleep and power-off`, async function () {
      cachedFile(this, 'vmlinuz-6.1-cloud');
      cachedFile(this, 'initrd-shell.gz');
      const initrd = ['--initrd', path.join(kernelFolder, 'initrd-shell.gz')];
      const { status, stdout } = await run('6.1-cloud', door, initrd, `${[...shell, 'poweroff -f'].join('\n')}\n`);
      expect(status).to.equal(0);
      for (const line of [/^type xen PVH\r?$/m, /^version 4\.17\r?$/m, /^clock xen\r?$/m, /^up [4-5]\.\d\d /m]) {
        expect(stdout).to.match(line);
      }
    });
  }

  it('reboot -f and a panic end as under xl', async function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    cachedFile(this, 'initrd-shell.gz');
    const initrd = ['--initrd', path.join(kernelFolder, 'initrd-shell.gz')];
    const reboot = await run('6.1-cloud', 'pvh', initrd, 'reboot -f\n');
    expect(reboot.result).to.include({ outcome: 'reset', reason: 'SCHEDOP_shutdown(reboot)' });
    const panic = await run('6.1-cloud', 'pvh', initrd, 'echo c > /proc/sysrq-trigger\n');
    expect(panic.result.outcome).to.equal('panicked');
    expect(panic.result.reason).to.match(/^Kernel panic: sysrq triggered crash/);
  });

  it('both tiers, and a machine saved and restored on the way, end in the same state', async function () {
    const image = readImage(cachedFile(this, 'vmlinuz-6.1-cloud'), { codecs: hostCodecs() });
    const initrd = cachedFile(this, 'initrd.gz');
    await image.prepare();
    const artifacts = loadProcessorArtifacts();
    const end = 700_000_000;
    const runTo = (machine: Machine, tick: number): void => {
      while (machine.outcome === undefined && machine.ticks < tick) {
        machine.run(tick - machine.ticks);
        if (machine.idle) machine.skipTo(Math.min(tick, machine.idleUntil() ?? tick));
      }
    };
    const start = (compileAfter?: 'never'): Machine => {
      const machine = new Machine({
        artifacts,
        memoryBytes: 256 << 20,
        xen: {},
        ...(compileAfter === undefined ? {} : { compileAfter }),
      });
      machine.boot(pvh, image, { commandLine: 'console=hvc0', modules: [], initrd });
      return machine;
    };
    const cold = start('never');
    runTo(cold, end);
    const expected = formatDigest(cold.digest());
    let machine = start();
    for (const tick of [1_000_000, 90_000_000, 381_000_000, 600_000_000, end]) {
      runTo(machine, tick);
      if (tick === end) break;
      machine = Machine.restore({ artifacts }, decodeSnapshot(encodeSnapshot(machine.save())));
    }
    expect(formatDigest(machine.digest())).to.equal(expected);
  });
});
