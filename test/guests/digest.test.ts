import { expect } from 'chai';
import { join } from 'node:path';
import { runWithDigests } from '../../src/digest.js';
import type { MachineOptions } from '../../src/machine.js';
import { cachedFile, kernelFolder } from '../support/kernels.js';
import { RecordedBoot } from '../support/recorded-boot.js';

const EVERY = 5_000_000;
const UNTIL = 200_000_000;

/** Digests of the first part of a boot, one line each: processor, memory and devices. */
async function digests(door: 'efi' | 'pvh', options: Partial<MachineOptions>): Promise<string[]> {
  const { machine } = await RecordedBoot.start({
    image: join(kernelFolder, 'vmlinuz-6.1-cloud'),
    initrd: join(kernelFolder, 'initrd.gz'),
    door,
    profile: 'linux',
    memoryBytes: 256 << 20,
    commandLine: 'console=ttyS0',
    options,
  });
  const lines: string[] = [];
  runWithDigests(
    machine,
    EVERY,
    (tick, { processor, memory, devices, tlb }) => {
      lines.push([tick, processor, memory, devices, ...(options.tlbEntries === undefined ? [tlb] : [])].join(' '));
    },
    UNTIL,
  );
  return lines;
}

describe("Debian's kernel 6.1: digests every 5,000,000 ticks agree", function () {
  this.timeout(300_000);
  before(function () {
    cachedFile(this, 'vmlinuz-6.1-cloud');
    cachedFile(this, 'initrd.gz');
  });

  it('by pvh, between compilation never, after 500 entries and after random ones', async () => {
    const never = await digests('pvh', { compileAfter: 'never' });
    expect(never.length).to.be.at.least(UNTIL / EVERY);
    expect(await digests('pvh', { compileAfter: 500 })).to.deep.equal(never);
    expect(await digests('pvh', { compileAfter: 'random' })).to.deep.equal(never);
  });

  it('by efi, between TLBs of 16 and of 1,024 entries', async () => {
    const large = await digests('efi', { tlbEntries: 1024 });
    expect(await digests('efi', { tlbEntries: 16, compileAfter: 'random' })).to.deep.equal(large);
  });
});
