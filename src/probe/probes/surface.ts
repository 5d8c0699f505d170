import { probe } from '../probe.js';
import type { ProbedRun } from '../probed-run.js';
import { AskedFor } from '../surface/asked.js';
import { HandedOut } from '../surface/handed-out.js';
import { ReadSites } from '../surface/read-sites.js';
import { surfaceSections } from '../surface/sections.js';
import { physicalOf, siteTarget } from '../surface/site-target.js';
import { configurationTablesOf, fieldsProper, totalsOf } from '../surface/totals.js';
import { WatchedStructures } from '../surface/watched-structures.js';
import type { SurfaceJoined, SurfaceRecord } from '../surface/result.js';

/** The PVH door has put the kernel where it runs: its first function can be named. */
function placeKernel({ door, kernel, machine }: ProbedRun): void {
  const entry = kernel?.elf.pvhEntry;
  if (door !== 'pvh' || kernel === undefined || entry === undefined) return;
  kernel.physicalDistance ??= Number(machine.processor.registers.rip) - entry;
}

/**
 * The ABI of each door as its guest uses it: every byte that firmware, hypervisor or loader put into memory for the guest
 * is watched, and every call is counted.
 */
export const surface = probe<SurfaceRecord, SurfaceJoined>({
  name: 'surface',
  question: 'What of the interface does the guest use, and which part of its code does?',
  needs: ['touches', 'watches'],
  start(run) {
    const { machine } = run;
    const target = siteTarget(run);
    const watched = new WatchedStructures(machine.processor.addWatcher(), new ReadSites(target), target);
    const asked = new AskedFor();
    const handedOut = new HandedOut({
      physicalOf: (address, bytes) => physicalOf(run, address, bytes),
      add: (structure) => {
        watched.add(structure);
      },
      end: (address, bytes, why) => {
        watched.end(address, bytes, why);
      },
    });
    watched.follow(machine.provided);
    run.onPhase(({ name }) => {
      handedOut.phase();
      if (name === 'entry') placeKernel(run);
      if (name === 'kernel-entry') run.code.kernelStands = true; // low addresses are its text from now on
    });
    run.onTouch(({ kind, address, bytes = 0, instruction }) => {
      if (kind === 'mmio-read' || kind === 'mmio-write')
        watched.accessed({ physical: address, bytes, write: kind === 'mmio-write', instruction });
    });
    run.onCall((call) => {
      asked.called(call);
      handedOut.called(call);
    });
    run.onHypercall((call) => {
      asked.hypercalled(call);
    });
    return () => {
      const structures = watched.results();
      const record = {
        structures,
        services: asked.services(),
        lookups: asked.lookups(),
        configurationTables: configurationTablesOf(structures),
        variables: asked.variables(),
        hypercalls: asked.hypercalls(),
      };
      return { totals: totalsOf(record), ...record };
    };
  },
  record: (taken) => taken,
  join: (doors) => {
    const names = [...new Set(doors.flatMap(({ taken }) => taken.structures.map(({ name }) => name)))];
    return {
      doors: doors.map(({ door, taken }) => ({ door, totals: taken.totals })),
      structures: names.map((name) => ({
        name,
        doors: doors.map(({ taken }) => {
          const structure = taken.structures.find((one) => one.name === name);
          if (structure === undefined) return null;
          const fields = fieldsProper([structure]);
          return { fields: fields.length, fieldsRead: fields.filter(({ fieldReads }) => fieldReads > 0).length };
        }),
      })),
    };
  },
  recordJoined: (joined) => joined,
  show: surfaceSections,
});
