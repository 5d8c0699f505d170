import type { Ablation, AblationReport, Ending, Part, Trial } from '../../src/ablate/result.js';

const ended: Ending = {
  outcome: 'powered-off',
  reason: 'ResetSystem(EfiResetShutdown)',
  instructions: 1_000_000,
  reached: 'end',
  phases: [{ name: 'entry', instructions: 0 }],
};

const trial = (id: string, way: Trial['way'], besides: Partial<Trial> = {}): Trial => ({
  ...{
    id,
    part: id.split('=')[0] ?? id,
    way,
    meaning: `what ${id} is`,
    verdict: 'tolerated',
    ending: ended,
    shared: 10,
  },
  ...{ lost: [], appeared: [], notCalled: [], calledBesides: [] },
  ...besides,
});

/** What an ablation could have found. `text` stands wherever a guest may write. */
export function madeUpAblation(text = 'a text', release?: string): Ablation {
  const fatal = {
    verdict: 'fatal',
    ending: { ...ended, outcome: 'panicked', reason: text, reached: 'kernel-entry' },
  } as const;
  const parts: Part[] = [
    {
      ...{ id: 'GetMemoryMap', kind: 'service', title: 'GetMemoryMap', section: '7.2.3', calls: 1, need: 'acts' },
      trials: [
        trial('GetMemoryMap=absent', 'absent', fatal),
        trial('GetMemoryMap=null', 'null', { ...fatal, says: text }),
        trial('GetMemoryMap=EFI_DEVICE_ERROR', 'status', { status: 'EFI_DEVICE_ERROR', says: text }),
        trial('GetMemoryMap=short-map', 'corrupted', { corruption: 'short-map', times: 1, verdict: 'same' }),
        trial('GetMemoryMap=idle', 'idle', fatal),
      ],
    },
    { id: 'Stall', kind: 'service', title: 'Stall', need: 'unused', calls: 0, trials: [] },
    {
      id: 'table:Acpi20',
      kind: 'table',
      title: 'table Acpi20',
      need: 'no',
      trials: [trial('table:Acpi20=absent', 'absent')],
    },
  ];
  return {
    ...{ efikit: '0.0.0', image: { path: `/somewhere/vmlinuz ${text}`, sha256: 'cd'.repeat(32), kind: 'bzimage' } },
    ...(release === undefined ? {} : { release }),
    ...{ door: 'efi', profile: 'linux', memory: 2 ** 28, append: text, initrd: 'built-in', xen: false, strict: true },
    ...{ whole: ended, parts, tolerated: ['GetMemoryMap=EFI_DEVICE_ERROR', 'table:Acpi20=absent'] },
    minimal: [{ goal: 'end', parts: ['GetMemoryMap'], verified: ended, runs: 7 }],
    cost: { runs: 9, instructions: 5_000_000, shared: 60 },
  };
}

export const madeUpReport = (...ablations: Ablation[]): AblationReport => ({ efikit: '0.0.0', ablations });
