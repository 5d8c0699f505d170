// "Custom semantics fit in an EFI configuration table": a guest that gets its whole start-of-day information from the Xen
// configuration table, beside the same guest through PVH (examples/two-doors); and proposal-linux, which hands Linux over from
// that table, beside Linux's own PVH entry. Every byte that the door provides is watched.
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../sources.mjs';
import { built, efikit, imageOf, kernelImage, run, said } from './machine.mjs';

const { loadProposalLinux } = await built('src/host/proposal-linux.js');
const example = (name) => path.join(root, 'examples', name);

/** Watches what is provided; answers how much of each structure the guest read. */
function watchProvided(machine) {
  const { processor, provided } = machine;
  const read = new Map(); // guest-physical byte -> times
  const watch = ({ address, bytes }) => {
    if (address + bytes <= machine.memory.ramBytes && bytes > 0) processor.watch(address, bytes);
  };
  provided.structures.forEach(watch);
  provided.onStructure = watch;
  processor.onWatched = ({ physical, bytes, write }) => {
    if (write) return;
    for (let at = physical; at < physical + bytes; at++) read.set(at, (read.get(at) ?? 0) + 1);
  };
  return () =>
    provided.structures.map(({ name, provider, address, bytes, fields }) => {
      const wasRead = (from, length) => {
        let count = 0;
        for (let at = from; at < from + length; at++) if (read.has(at)) count++;
        return count;
      };
      const own = fields.filter(({ padding }) => padding !== true);
      return {
        name,
        provider,
        bytes,
        bytesRead: wasRead(address, bytes),
        fields: own.length,
        fieldsRead: own
          .filter(({ offset, bytes: length }) => wasRead(address + offset, length) > 0)
          .map((field) => field.name),
      };
    });
}

const sum = (list, value) => list.reduce((total, one) => total + value(one), 0);

async function watched(image, setup) {
  let structures;
  const { boot, result, lines } = await run(image, {
    ...setup,
    before: (machine) => {
      structures = watchProvided(machine);
    },
  });
  const all = structures();
  const { outcome, reason, instructions, services, hypercalls } = result;
  return {
    outcome,
    reason,
    instructions,
    phases: Object.fromEntries(boot.phases.map((phase) => [phase.name, phase.instructions])),
    services,
    ...(hypercalls && { hypercalls }),
    totals: {
      structures: all.length,
      structuresRead: all.filter(({ bytesRead }) => bytesRead > 0).length,
      bytes: sum(all, ({ bytes }) => bytes),
      bytesRead: sum(all, ({ bytesRead }) => bytesRead),
      fields: sum(all, ({ fields }) => fields),
      fieldsRead: sum(all, ({ fieldsRead }) => fieldsRead.length),
    },
    structures: all.map((one) => ({ ...one, fieldsRead: one.fieldsRead.length, names: one.fieldsRead })),
    lines,
  };
}

/** What both doors must tell alike. */
const commonLines = /^(rsdp|command-line|modules|module \d+ (size|fnv1a|command-line)|ram (total|range)): /;

export async function measure(say) {
  const modules = [{ bytes: readFileSync(path.join(root, 'LICENSE')), commandLine: 'a module with a command line' }];
  const options = { commandLine: 'one command line', modules };
  const twoDoors = {};
  for (const [name, file, setup] of [
    ['Xen table', 'two-doors/two-doors.efi', { door: 'efi', profile: efikit.proposal }],
    ['PVH', 'two-doors/two-doors.elf', { door: 'pvh' }],
    ['Xen table, under Xen', 'two-doors/two-doors.efi', { door: 'efi', profile: efikit.proposal, xen: {} }],
    ['PVH, under Xen', 'two-doors/two-doors.elf', { door: 'pvh', xen: {} }],
  ]) {
    const image = await imageOf(example(file));
    const { lines, ...figures } = await watched(image, { ...setup, options });
    twoDoors[name] = { imageBytes: statSync(example(file)).size, ...figures, told: said(lines, commonLines) };
    const { bytesRead, fieldsRead } = figures.totals;
    say(`two-doors, ${name}: ${figures.instructions} instructions, ${bytesRead} bytes and ${fieldsRead} fields read`);
  }
  const differing = (one, other) => {
    const lines = [twoDoors[one].told, twoDoors[other].told];
    return lines.map((list, index) => list.filter((line) => !lines[1 - index].includes(line)));
  };
  const kernel = '6.1-cloud';
  const linux = {};
  for (const [name, setup] of [
    [
      'Xen table (proposal-linux)',
      { door: 'proposal', profile: efikit.proposal, proposalLinux: loadProposalLinux(), until: 'kernel-entry' },
    ],
    ['PVH', { door: 'pvh', until: 'start_kernel' }],
  ]) {
    const { lines, ...figures } = await watched(await kernelImage(kernel), {
      ...setup,
      kernelPhases: true,
      options: { commandLine: 'console=ttyS0', initrd: efikit.defaultInitramfs() },
    });
    linux[name] = { ...figures, until: setup.until, printed: lines.filter((line) => line !== '').length };
    const { bytesRead, fieldsRead } = figures.totals;
    say(`${kernel}, ${name}: ${figures.instructions} instructions, ${bytesRead} bytes and ${fieldsRead} fields read`);
  }
  return {
    twoDoors,
    /** What one door told and the other did not: nothing, or lines of the Xen table's and of PVH's. */
    toldDifferently: differing('Xen table', 'PVH'),
    toldDifferentlyUnderXen: differing('Xen table, under Xen', 'PVH, under Xen'),
    proposalLinuxBytes: statSync(example('proposal-linux/proposal-linux.efi')).size,
    kernel,
    linux,
  };
}
