import type { CallsRecord } from '../../src/probe/calls/result.js';
import type { ClosedDoor, ComparisonResult, DoorResult } from '../../src/report/comparison.js';
import type { PageAssets } from '../../src/report/page/document.js';

/** A text that would become markup where it is not escaped. */
export const hostile = `</script><script>alert(1)</script></pre></style><img src=x onerror="alert(2)">' " \u202e&amp;`;

export const noAssets: PageAssets = { style: '', script: '' };

const page = 4096;
const map = [
  { start: 0, end: 160 * page, type: 'EfiConventionalMemory' },
  { start: 256 * page, end: 65536 * page, type: 'EfiConventionalMemory' },
];

function callsOf(text: string): CallsRecord {
  const call = {
    section: '7.2.1',
    phase: 'entry',
    args: { Type: 'AllocateAnyPages', VariableName: text },
    results: { Memory: '0x1000', VirtualMap: [text, 'b'] },
    status: 'EFI_SUCCESS',
    caller: '0x1000',
    from: `image+0x1000 ${text}`,
  };
  return {
    memoryMap: map,
    calls: [
      { ...call, name: 'HandleProtocol', section: '7.3.7', instructions: 100, tick: 100 },
      {
        ...call,
        name: 'AllocatePages',
        instructions: 2_000,
        tick: 2_000,
        map: {
          at: 1,
          removed: 1,
          added: [
            { start: 256 * page, end: 300 * page, type: 'EfiConventionalMemory' },
            { start: 300 * page, end: 65536 * page, type: 'EfiLoaderData' },
          ],
        },
      },
      { ...call, name: 'GetVariable', status: 'EFI_NOT_FOUND', instructions: 900_000, tick: 900_000 },
    ],
    moreCalls: 0,
    hypercalls: [],
    moreHypercalls: 0,
    events: [],
  };
}

/** What a run of a door could have given. `text` stands wherever a guest may write. */
export function madeUpRun(door: string, text = 'a text'): DoorResult {
  const isEfi = door === 'efi' || door === 'proposal';
  return {
    efikit: '0.0.0',
    image: { path: `/somewhere/vmlinuz ${text}`, sha256: 'ab'.repeat(32), kind: 'bzimage' },
    door,
    ...(isEfi ? { profile: 'linux' } : {}),
    memory: 2 ** 28,
    append: text,
    outcome: 'powered-off',
    reason: text,
    instructions: 1_000_000,
    virtualNanoseconds: 1_000_000,
    wallSeconds: 1,
    phases: [
      { name: 'entry', instructions: 0, address: '0x1000' },
      ...(isEfi ? [{ name: 'exit-boot-services', instructions: 5_000, address: '0x2000' }] : []),
      { name: 'kernel-entry', instructions: 6_000, address: '0x3000' },
      { name: 'start_kernel', instructions: 70_000, address: '0x4000' },
      { name: 'user-space', instructions: 950_000, address: '0x5000' },
    ],
    services: isEfi ? [{ name: 'GetVariable', calls: 3, statuses: { EFI_NOT_FOUND: 3 } }] : [],
    console: `${text}\n`,
    missed: [],
    probes: {
      'memory-maps': { entry: map, ...(isEfi ? { exitBootServices: map } : {}) },
      calls: isEfi ? callsOf(text) : { calls: [], moreCalls: 0, hypercalls: [], moreHypercalls: 0, events: [] },
      'console-lines': { lines: [{ instructions: 80_000, text: `Linux version ${text}` }], moreLines: 0 },
    },
  };
}

/** Doors as a result of `compare --json`. */
export const madeUpComparison = (...doors: (DoorResult | ClosedDoor)[]): ComparisonResult => ({
  efikit: '0.0.0',
  doors,
  joined: {},
  sections: [
    {
      probe: 'something-new',
      question: 'Is anything new?',
      sections: [
        { title: 'what is new', table: { columns: ['', 'efi'], rows: [['a row', 'a cell']] }, lines: [hostile] },
      ],
    },
  ],
});
