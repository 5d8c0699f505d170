// docs/independent-count.md: f(results).
import { code, table } from '../markdown.mjs';
import { causes } from './causes.mjs';
import { commandLine, commandLineWords, lackingInQemu, memoryMiB, qemuMachines } from './settings.mjs';

const whole = (n) => Math.round(n).toLocaleString('en-US');
const signed = (n) => (n > 0 ? `+${whole(n)}` : whole(n));
const percent = (part, all) => (all === 0 ? '0 %' : `${((100 * part) / all).toFixed(2)} %`);
const signedPercent = (part, all) => (part > 0 ? `+${percent(part, all)}` : percent(part, all));
const sum = (values) => values.reduce((total, value) => total + value, 0);
const titleOf = ({ kernel, door }) => `${kernel}, ${door.toUpperCase()}`;

const early = 'to `start_kernel`';
const late = '`start_kernel` to user space';

/** Totals of the stretches up to start_kernel and behind it. */
function totalsOf({ stretches }) {
  const end = stretches.findIndex(({ name }) => name === 'start_kernel') + 1;
  const of = (some) => ({
    ours: sum(some.map(({ ours }) => ours.retired)),
    alike: sum(some.map(({ alike }) => alike.retired)),
    qemu: sum(some.map(({ qemu }) => qemu.retired)),
  });
  return { [early]: of(stretches.slice(0, end)), [late]: of(stretches.slice(end)) };
}

const isEqual = ({ alike, qemu }) => alike.retired === qemu.retired;

/** What of the difference behind start_kernel is in functions that no cause names. */
const unnamed = ({ functions }) => functions.late.rest.qemu - functions.late.rest.ours;

function totalsTable(boots) {
  const rows = boots.flatMap((boot) => {
    const totals = totalsOf(boot);
    const all = Object.fromEntries(
      ['ours', 'alike', 'qemu'].map((side) => [side, totals[early][side] + totals[late][side]]),
    );
    return [
      [early, totals[early], 0],
      ['to the first user instruction', all, unnamed(boot)],
    ].map(([name, { ours, alike, qemu }, rest]) => [
      titleOf(boot),
      name,
      whole(ours),
      whole(qemu),
      signedPercent(qemu - ours, ours),
      whole(alike),
      signedPercent(qemu - alike, alike),
      signedPercent(rest, alike),
    ]);
  });
  return table(
    ['kernel, door', 'stretch', 'efikit', 'QEMU', 'more', "efikit, QEMU's CPUID", 'QEMU has more', 'without a cause'],
    rows,
  );
}

function causesTable({ functions, ...boot }) {
  const totals = totalsOf(boot);
  const rows = [
    [early, functions.early],
    [late, functions.late],
  ].flatMap(([name, { causes: found, rest }]) => {
    const all = totals[name].alike;
    return [
      ...found
        .map((cause) => ({ ...cause, difference: cause.qemu - cause.ours }))
        .sort((a, b) => Math.abs(b.difference) - Math.abs(a.difference))
        .map((cause) => [name, cause.name, signed(cause.difference), signedPercent(cause.difference, all)]),
      [name, 'all other functions', signed(rest.qemu - rest.ours), signedPercent(rest.qemu - rest.ours, all)],
    ];
  });
  return table(['stretch', 'cause', 'QEMU − efikit', ''], rows);
}

const namesOf = (functions) =>
  functions.map(({ name, ours, qemu }) => `${code(name)} ${signed(qemu - ours)}`).join(', ');

function variationsTable(variations) {
  return table(
    ['QEMU', 'from `start_kernel` on', 'instead of', 'difference', 'mostly', 'why'],
    variations.map(({ title, usual, other, mostly, why }) => [
      title,
      whole(other),
      whole(usual),
      signed(other - usual),
      mostly.map((one) => `${code(one.name)} ${signed(one.other - one.usual)}`).join(', '),
      why,
    ]),
  );
}

function stretchesTable({ stretches }) {
  return table(
    ['up to', 'efikit', "efikit, QEMU's CPUID", 'QEMU', 'QEMU − efikit', '', 'faults', 'timer', 'over 1 %: mostly'],
    stretches.map(({ name, ours, alike, qemu, mostly }) => {
      const difference = qemu.retired - alike.retired;
      return [
        `\`${name}\``,
        whole(ours.retired),
        whole(alike.retired),
        whole(qemu.retired),
        difference === 0 ? 'equal' : signed(difference),
        difference === 0 ? '' : signedPercent(difference, alike.retired),
        `${alike.faults} / ${qemu.faults}`,
        `${ours.timer} / ${alike.timer} / ${qemu.timer}`,
        Math.abs(difference) * 100 > alike.retired ? namesOf(mostly) : '',
      ];
    }),
  );
}

function bootText(boot) {
  const equal = boot.stretches.filter(isEqual);
  const { rest } = boot.functions.late;
  return `### ${titleOf(boot)}

${stretchesTable(boot)}

${equal.length} of ${boot.stretches.length} stretches are equal to the instruction, together ${whole(sum(equal.map(({ qemu }) => qemu.retired)))} instructions.

${causesTable(boot)}

The largest of the other functions, from \`start_kernel\` on: ${rest.functions
    .slice(0, 8)
    .map(({ name, ours, qemu }) => `\`${name}\` ${signed(qemu - ours)}`)
    .join(', ')}.
`;
}

function bareTable(bare) {
  return table(
    ['guest', 'efikit', 'QEMU', 'difference', 'instructions with other counts', 'last passes of REP'],
    bare.map(({ guest, ours, qemu, differing, lastPasses }) => [
      `\`${guest}\``,
      whole(ours),
      whole(qemu),
      ours === qemu ? 'none' : signed(qemu - ours),
      String(differing.length),
      whole(lastPasses),
    ]),
  );
}

function unpackingTable(boots) {
  return table(
    ['kernel', 'instructions of the stub', 'efikit', 'QEMU', 'of them equal', 'other counts', 'QEMU − efikit'],
    boots
      .filter(({ unpacking }) => unpacking !== undefined)
      .map(({ kernel, unpacking: { addresses, ours, qemu, differing } }) => [
        kernel,
        whole(addresses),
        whole(ours),
        whole(qemu),
        whole(addresses - differing.length),
        whole(differing.length),
        signed(qemu - ours),
      ]),
  );
}

export function page({ qemu, ovmf, bare, boots, variations }) {
  const releases = [...new Set(boots.map(({ kernel, release }) => `${kernel} is Debian's ${release}`))].join('; ');
  return `# An independent count

Made by \`node .ci/independent-count.mjs --write\`; the figures are kept in \`.ci/independent-count/results.json\`. QEMU ${qemu} (TCG), OVMF of the Debian
package ${ovmf}. ${releases}.

efikit says how many instructions a guest has executed, and every figure of the evaluation rests on it. So the same guests run under QEMU,
whose emulator shares nothing with ours, with a plugin that counts every instruction at every address (\`.ci/independent-count/counter.c\`), and the two
counts are laid side by side: in sum, by stretch, by function, by instruction.

## What is counted

- efikit: \`machine.instructions\` and, by address, the counts of an observing processor. QEMU: how often each instruction was begun.
- A repeated string instruction counts once an iteration in both. QEMU goes through it once more, to find RCX zero; this last pass is taken away, and
  the plugin knows it, because nothing is loaded or stored in it.
- An instruction that faults is not retired: efikit does not count it, QEMU has begun it. So the entries of the exception handlers are taken away.
- Instructions of the firmware (OVMF's own, our gates) are left out. What remains is the kernel's: its EFI stub and itself.

## Made alike

Both machines get the same kernel and initrd, ${memoryMiB} MiB, one processor and the command line \`${commandLine}\`:

${table(
  ['word', 'why'],
  commandLineWords.map(({ word, why }) => [`\`${word}\``, why]),
)}

QEMU's processor is built from nothing (\`-cpu base\`) with the features and the identity of ours; of them TCG lacks ${lackingInQemu.map((name) => `\`${name}\``).join(' and ')}. It runs
with \`-icount shift=0\`: an instruction takes 1 ns of guest time, as in efikit. The machine is \`${qemuMachines.pvh}\` through PVH, nearly the
machine that we have; OVMF wants a PC, so it is \`${qemuMachines.efi}\` through EFI. The serial port writes to a file: a full pipe shows in its registers.

## Where both do the same work: equal

Bare guests (\`test/bare/compute.elf\`), from the PVH entry to power-off:

${bareTable(bare)}

The kernel's own decompressor, in the EFI stub between the allocation of the kernel's memory and the look for an initrd, instruction by instruction:

${unpackingTable(boots)}

The instructions with other counts are not the decompressor's. They are one function, \`efi_adjust_memory_range_protection\`: it asks the DXE services
table for the attributes of the memory, and goes through what it is told. OVMF has that table; efikit, whose profile has it not, leaves the function at once.

## Whole boots

${totalsTable(boots)}

TCG has no TSC-deadline timer and no CPUID leaf 0x15, so the kernel measures the local APIC's timer: it waits for a tenth of a second, 108 million
instructions in \`setup_boot_APIC_clock\`. This is the whole of the difference over 1 % through PVH. When efikit's CPUID says the same
as QEMU's (column "QEMU's CPUID"), the same instructions are executed here, and the difference is gone. Through EFI a PC and its firmware
remain, as told below. Before \`start_kernel\` the kernel does the same but for the memory map: QEMU's \`hvm_start_info\` has three entries more, of 12, 10
and 18 instructions each in \`xen_prepare_pvh\` of the three kernels, and the EFI stub goes through OVMF's longer map; "without a cause" is the part of the difference in functions that none of the causes below takes.

## What else differs, and why

${table(
  ['cause', 'why'],
  causes.map(({ name, why }) => [name, why]),
)}

The causes go by the function in which the instructions are.

Through EFI the memory map and ACPI make the difference, both OVMF's and its PC's own: through PVH, where QEMU's machine is as small as ours,
the same functions of the same kernel differ by less than a tenth of it. Other causes can be given and taken:

${variationsTable(variations)}

In the tables below, "faults" are those of efikit (with QEMU's CPUID) and of QEMU, "timer" the interrupts of the local APIC's timer, here, here with QEMU's
CPUID, and under QEMU. Where both fault alike, as in the stretch to \`start_kernel\`, the totals show that a faulting instruction is counted rightly. The faults
from \`vfs_caches_init\` on that only efikit has are the #GP of MSRs that Linux tries (0x3a and 0x140, 0xc0011029 of AMD); QEMU answers 0 for an
MSR that it does not know. With QEMU's CPUID efikit's timer interrupts more often: the
local APIC counts at a sixteenth of 25 MHz, so a deadline that is rounded down to a count comes up to 640 ns early, and the kernel sets the rest again; QEMU's
counts at a sixteenth of 1 GHz. (Made to count at 1 GHz, efikit interrupts 72 times instead of 96 in the first boot below.) Work that the kernel does at the same time as something else (the tracing files, the initrd's unpacking, RCU) may
fall into the stretch before or behind: sums over several stretches are what says more.

${boots.map(bootText).join('\n')}`;
}
