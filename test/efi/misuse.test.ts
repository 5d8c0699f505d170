import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import type { MisuseRecord } from '../../src/probe/probes/misuse.js';
import { misuse } from '../../src/probe/probes/misuse.js';

interface Run extends MisuseRecord {
  /** Where the function lies that does it. */
  readonly from: number;
  readonly to: number;
  readonly outcome: string | undefined;
  readonly ticks: number;
}

const image = readImage(readFileSync(new URL('misuse/misuse.efi', import.meta.url)));

/** Runs misuse.efi with a word on 64 MiB. */
function run(word: string, redZones = 64, watched = true, tier: 'both' | 'interpreter' = 'both'): Run {
  let output = '';
  const boot = ObservedBoot.start({
    artifacts: loadProcessorArtifacts(),
    door: 'efi',
    image,
    profile: linux,
    overrides: redZones === 0 ? {} : { 'memory:red-zones': redZones },
    strict: true,
    tier,
    memoryBytes: 64 << 20,
    options: { commandLine: word, modules: [] },
    probes: watched ? [misuse] : [],
    observer: {
      console: (byte) => {
        output += String.fromCharCode(byte);
      },
    },
  });
  while (boot.machine.outcome === undefined && boot.machine.ticks < 100e6) boot.machine.run(20e6);
  const [, from, to] = /from (0x[0-9a-f]+) to (0x[0-9a-f]+)/.exec(output) ?? [];
  const none: MisuseRecord = { redZones: 0, findings: [], moreFindings: 0 };
  const taken = (boot.taken().get(misuse.name) ?? none) as MisuseRecord;
  return { ...taken, from: Number(from), to: Number(to), outcome: boot.outcome?.reason, ticks: boot.machine.ticks };
}

/** Each word, the kind of what is found, the service or access, what the sentence says, and how often. */
const cases = [
  ['overrun', 'pool-overrun', /stored to 1 byte behind the last byte of a pool block of 100 bytes/, 2],
  ['overrun-far', 'pool-overrun', /stored to 1 byte behind the last byte of a pool block of 96 bytes/, 9],
  ['underrun', 'pool-overrun', /loaded from 1 byte in front of a pool block of 48 bytes/, 1],
  [
    'after-free',
    'use-after-free',
    /loaded from byte 16 of a pool block of 64 bytes .* allocated by AllocatePool .* freed by FreePool/,
    1,
  ],
  [
    'freed-pages',
    'use-after-free',
    /stored to byte 8190 of 3 pages .* allocated by AllocatePages .* freed by FreePages/,
    2,
  ],
  ['unallocated', 'unallocated-memory', /stored to memory that nobody has allocated/, 1],
  ['double-free', 'bad-free', /FreePool was given 0x[0-9a-f]+, which FreePool by .* had freed/, 1],
  ['pages-twice', 'bad-free', /FreePages was given 0x[0-9a-f]+, which FreePages by .* had freed/, 1],
  ['bad-free', 'bad-free', /FreePool was given 0x[0-9a-f]+, where nothing was allocated/, 1],
  [
    'small-buffer',
    'pool-overrun',
    /GetMemoryMap was made to write 1 byte behind the last byte of a pool block of 200 bytes/,
    1,
  ],
  ['stale-key', 'stale-map-key', /was given map key \d+; the map has key \d+ since AllocatePool by/, 1],
  ['late-call', 'call-after-exit-boot-services', /FreePool was called after ExitBootServices/, 1],
  ['boot-memory', 'boot-services-memory', /loaded from EFI_BOOT_SERVICES in boot-services memory/, 1],
  ['bent-stack', 'stack-alignment', /GetMemoryMap was called with RSP 0x[0-9a-f]+8 in front of the CALL/, 1],
  ['backwards', 'direction-flag', /GetMemoryMap was called with the direction flag set/, 1],
] as const;

describe('misuse of the firmware', function () {
  this.timeout(60_000);

  for (const [word, kind, what, times] of cases) {
    it(`${word}: ${kind}, by the function that does it, and nothing else`, () => {
      const { findings, from, to, outcome } = run(word);
      expect(findings.map((finding) => finding.kind).filter((one) => one !== 'bad-free' || kind === one)).to.deep.equal(
        [kind],
      );
      const [finding] = findings;
      expect(finding?.what).to.match(what);
      expect(finding?.times).to.equal(times);
      expect(Number(finding?.instruction)).to.be.within(from, to);
      expect(finding?.from).to.match(/^image\+0x/);
      expect(outcome).to.equal('Exit(EFI_SUCCESS)');
    });
  }
  it('finds the same without the hot tier', () => {
    for (const word of ['overrun-far', 'freed-pages', 'boot-memory'])
      expect(run(word, 64, true, 'interpreter')).to.deep.equal(run(word));
  });
  it('finds nothing where nothing is wrong', () => {
    expect(run('clean').findings).to.deep.equal([]);
    expect(run('clean', 0).findings).to.deep.equal([]);
  });
  it('without red zones finds an overrun into what is nobody’s, and the guest runs as without the probe', () => {
    const watched = run('overrun', 0);
    expect(watched.findings.map(({ kind }) => kind)).to.deep.equal(['pool-overrun']);
    for (const [word] of cases) {
      const [one, other] = [run(word, 0), run(word, 0, false)];
      expect([one.ticks, one.outcome], word).to.deep.equal([other.ticks, other.outcome]);
    }
  });
});
