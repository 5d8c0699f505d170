// Boots one kernel through the door `efi` with each entry of the profile `linux` taken away, all in one process, and
// tells what the guest asked of the firmware and how each boot differs from the full one.
//
//   node --expose-gc --import tsx .ci/justify/boots.mjs KERNEL FILE      writes JSON to FILE; justify.mjs runs it
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../sources.mjs';
import { cpio, padding } from '../../test/support/cpio.ts';
import { commandLine, entriesOf, folder, isService, kernelFile, memoryMiB } from './settings.mjs';

const built = (module) => import(pathToFileURL(path.join(root, 'dist', module)).href);
const { linux, ObservedBoot, readImage } = await built('src/index.js');
const { loadProcessorArtifacts, runMachine } = await built('src/node.js');
const { buildSlots } = await built('src/firmware/slots.js');
const { Status, statusName } = await built('firmware-tables/uefi/status.js');

/** A guest that runs on for so many times the full boot's instructions is taken to run for ever. */
const patience = 3;
const mostLines = 12;
const nobody = { open: false, waiting: false, deliver: () => false, changed: () => Promise.resolve() };

const withoutTime = (line) => line.replace(/^\[ *\d+\.\d+\] */, '').trimEnd();

/** What of a line of the console is the same in two boots that do the same: no time stamp, no figures. */
const comparable = (line) =>
  withoutTime(line)
    .replace(/0x[0-9a-f]+|\b(?=[0-9a-f]*\d)[0-9a-f]{5,16}\b/gi, '#')
    .replace(/\d+(\.\d+)*/g, '#');

/** The lines of `all` that `others` lacks, each kind of line once, as they stand without their time stamps. */
function missingIn(all, others) {
  const known = new Set(others.map(comparable));
  const found = new Map();
  for (const line of all) {
    const key = comparable(line);
    if (!known.has(key) && !found.has(key)) found.set(key, withoutTime(line));
  }
  return [...found.values()];
}

/** busybox, the kernel's module efivarfs and init.sh. */
function initramfs(kernel) {
  const busybox = readFileSync(path.join(folder, 'initrd.gz'));
  const files = [
    { name: 'init', data: readFileSync(path.join(root, '.ci/justify/init.sh')) }, // what comes later replaces what was there
    { name: 'efivarfs.ko', data: readFileSync(path.join(folder, `efivarfs-${kernel}.ko`)) },
  ];
  return Buffer.concat([busybox, padding(busybox.length), cpio(files)]);
}

/** Boots once. `calls` are all calls of the firmware in their order, with the names of their callers. */
async function boot({ image, artifacts, initrd }, overrides, maxInstructions = Infinity) {
  const calls = [];
  let text = '';
  let atRunTime = false;
  const run = ObservedBoot.start({
    artifacts,
    door: 'efi',
    image,
    profile: linux,
    overrides,
    strict: true,
    memoryBytes: memoryMiB * 2 ** 20,
    kernelPhases: false,
    options: { commandLine, modules: [], initrd },
    observer: {
      console: (byte) => {
        text += String.fromCharCode(byte);
      },
      call: (call, from) => {
        calls.push({ ...call, atRunTime, from: from() });
        if (call.name === 'ExitBootServices' && call.status === Status.SUCCESS) atRunTime = true;
      },
    },
  });
  const last = await runMachine(run.machine, { input: nobody, maxInstructions });
  const { outcome, reason } = run.outcome ?? last;
  const lines = text
    .replaceAll('\r', '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const named = reason.replace(/RIP (0x[0-9a-f]+)/, (all, address) => {
    const name = run.callers.nameOf(BigInt(address));
    return name === undefined ? all : `RIP ${name}`;
  });
  return { calls, lines, outcome, reason: named, instructions: run.machine.instructions };
}

/** Calls by service: at boot and at run time, and who called first. */
function countsOf(calls) {
  const counts = {};
  for (const { name, atRunTime, from } of calls) {
    counts[name] ??= { boot: 0, runTime: 0, ...(from === undefined ? {} : { from }) };
    counts[name][atRunTime ? 'runTime' : 'boot']++;
  }
  return counts;
}

/** What was looked for by GUID or name, and how the firmware answered. */
function lookUpsOf(calls) {
  const found = new Map();
  for (const { name, args, status } of calls) {
    if (args.Protocol === undefined) continue;
    const answer = statusName(status);
    const key = `${args.Protocol} ${name} ${answer}`;
    const entry = found.get(key) ?? { protocol: args.Protocol, service: name, status: answer, calls: 0 };
    entry.calls++;
    found.set(key, entry);
  }
  return [...found.values()];
}

/** How a boot ended, beside the full one. Of a boot with the same instructions and the same console there is no more to say. */
function compared({ calls, lines, outcome, reason, instructions }, full) {
  const isSame = reason === full.reason && instructions === full.instructions && lines.join() === full.lines.join();
  if (isSame) return { same: true };
  const counts = countsOf(calls);
  const before = countsOf(full.calls);
  const last = calls.at(-1);
  const userSpace = lines.some((line) => line.includes('USERSPACE-UP'));
  return {
    outcome,
    reason,
    userSpace,
    ...(userSpace ? { lost: missingIn(full.lines, lines).slice(0, mostLines) } : {}),
    appeared: missingIn(lines, full.lines).slice(0, mostLines),
    notCalled: userSpace ? Object.keys(before).filter((name) => !(name in counts)) : [],
    called: Object.keys(counts).filter((name) => !(name in before)),
    ...(last === undefined ? {} : { last: last.name }),
  };
}

async function main(kernel, file) {
  const bytes = readFileSync(kernelFile(kernel));
  const image = readImage(bytes);
  await image.prepare();
  const guest = { image, artifacts: loadProcessorArtifacts(), initrd: initramfs(kernel) };
  const say = (line) => process.stderr.write(`justify: ${kernel}: ${line}\n`);
  const full = await boot(guest, {});
  say(`${full.outcome}: ${full.reason}`);
  const attempt = async (entry, override, others = {}) => {
    globalThis.gc?.();
    const overrides = { ...others, [entry]: override };
    const answer = compared(await boot(guest, overrides, full.instructions * patience), full);
    const way = typeof override === 'string' ? override : 'refused';
    say(`${entry} ${way}: ${answer.same ? 'as before' : `${answer.outcome}: ${answer.reason}`}`);
    return answer;
  };

  const services = new Map([...buildSlots(linux, {}).values()].map((slot) => [slot.name, slot.service]));
  const calls = countsOf(full.calls);
  const without = {};
  for (const entry of entriesOf(linux)) {
    without[entry] = { absent: await attempt(entry, 'absent') };
    if ((services.get(entry)?.absent ?? Status.UNSUPPORTED) !== Status.UNSUPPORTED)
      without[entry].unsupported = await attempt(entry, { status: Status.UNSUPPORTED });
    const isCalled = !isService(entry) || entry in calls || !without[entry].absent.same;
    if (isService(entry) || entry === 'protocol:SimpleTextOutput')
      without[entry].null = isCalled ? await attempt(entry, 'null') : { same: true }; // nobody reads that slot
  }

  // What a full boot does not call: take it away where the lack of something else has it called.
  const alsoWithout = {};
  for (const entry of Object.keys(linux.services).filter((name) => !(name in calls))) {
    const [cause] = Object.entries(without).find(([, { absent }]) => absent.called?.includes(entry)) ?? [];
    if (cause === undefined) continue;
    const others = { [cause]: 'absent' };
    alsoWithout[entry] = {
      cause,
      absent: await attempt(entry, 'absent', others),
      null: await attempt(entry, 'null', others),
    };
  }

  // What the profile lacks: offered where there is something to offer, NULL where somebody asks.
  const lacking = {};
  const more = [...services].filter(([name, { run }]) => run && !(name in linux.services)).map(([name]) => name);
  const offered = Object.fromEntries(more.slice(1).map((name) => [name, 'present']));
  const present = await attempt(more[0], 'present', offered);
  for (const name of services.keys()) {
    if (name in linux.services) continue;
    if (more.includes(name)) lacking[name] = { present };
    if (name in calls) lacking[name] = { ...lacking[name], null: await attempt(name, 'null') };
  }
  const result = {
    release: /Linux version (\S+)/.exec(full.lines.join('\n'))?.[1] ?? 'unknown release',
    sha256: createHash('sha256').update(bytes).digest('hex'),
    outcome: `${full.outcome}: ${full.reason}`,
    calls,
    lookUps: lookUpsOf(full.calls),
    without,
    alsoWithout,
    lacking,
  };
  writeFileSync(file, JSON.stringify(result));
}

await main(...process.argv.slice(2));
