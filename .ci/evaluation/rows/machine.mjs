// What the rows run: one machine from the built library, with everything that a row asks about written down.
import { Buffer } from 'node:buffer';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { kernelFile, kernelFolder } from '../../kernels.mjs';
import { root } from '../../sources.mjs';

export const built = (module) => import(pathToFileURL(path.join(root, 'dist', module)).href);
export const efikit = await built('src/index.js');
const { loadProcessorArtifacts, runMachine, noInput } = await built('src/node.js');
const { statusName } = await built('firmware-tables/uefi/status.js');
const artifacts = loadProcessorArtifacts();

export const memoryMiB = 512;
export const commandLine = 'console=ttyS0 ignore_loglevel';

const prepared = new Map();

/** A prepared image. Throws ImageError where it is none. */
export async function imageOf(file) {
  if (!prepared.has(file)) {
    const image = efikit.readImage(readFileSync(file));
    await image.prepare();
    prepared.set(file, image);
  }
  return prepared.get(file);
}

/** A kernel of examples/get-kernels. */
export function kernelImage(name) {
  if (!existsSync(kernelFile(name))) throw new Error(`${kernelFile(name)} is not there: run examples/get-kernels`);
  return imageOf(kernelFile(name));
}

/** `initrd`, and files behind it that replace its own. Each archive begins at a multiple of 4. */
export async function initrdWith(initrd, files) {
  const { cpio, padding } = await tsImport('../../../test/support/cpio.ts', import.meta.url);
  return Buffer.concat([initrd, padding(initrd.length), cpio(files)]);
}

/** The initramfs of examples/get-kernels: prints USERSPACE-UP and powers off. */
export const busyboxInitrd = () => readFileSync(path.join(kernelFolder, 'initrd.gz'));

/** Without escape sequences and control characters. */
const printable = (text) => text.replaceAll(/\p{Cc}\[[0-9;?]*[A-Za-z]/gu, '').replaceAll(/(?!\n)\p{Cc}/gu, '');
const withoutTime = (line) => line.replace(/^\[ *\d+\.\d+\] /, '').trimEnd();

/** A guest that calls the firmware so often without ending waits for something that never comes. */
const mostCalls = 20_000;
const looked = 200;

/**
 * Runs an image to its end or to a limit. `setup` as ObservedBoot.start takes it; `before(machine)` may change memory at the
 * entry; from a line `marker` on, calls are counted anew (`after`). What is told: outcome, instructions, console, calls by service, missed services, hypercalls, variables.
 */
export async function run(image, { door = 'efi', maxInstructions = 8e9, before, input, marker, onCall, ...setup }) {
  let text = '';
  let statuses = new Map();
  let hypercalls = new Map();
  let first;
  const order = [];
  let calls = 0;
  const boot = efikit.ObservedBoot.start({
    artifacts,
    door,
    image,
    profile: efikit.linux,
    strict: true,
    memoryBytes: memoryMiB * 2 ** 20,
    kernelPhases: false,
    ...setup,
    options: { commandLine, modules: [], ...setup.options },
    observer: {
      console: (byte) => {
        text += String.fromCharCode(byte);
        if (byte !== 0x0a || marker === undefined || first !== undefined) return;
        if (!text.slice(text.lastIndexOf('\n', text.length - 2) + 1).startsWith(marker)) return;
        first = { instructions: boot.machine.instructions, services: statuses, hypercalls };
        statuses = new Map();
        hypercalls = new Map();
      },
      call: (call) => {
        const { name, status, unserved } = call;
        onCall?.(call);
        const counts = statuses.get(name) ?? {};
        const key = unserved ? 'not offered' : status === undefined ? 'fault' : statusName(status);
        counts[key] = (counts[key] ?? 0) + 1;
        statuses.set(name, counts);
        if (order.length >= looked) order.shift();
        order.push(name);
        if (++calls >= mostCalls)
          boot.machine.end({ outcome: 'limit', reason: `calls ${[...new Set(order)].join(', ')} for ever` });
      },
      hypercall: ({ name, operation }) => {
        const key = operation === undefined ? name : `${name}.${operation}`;
        hypercalls.set(key, (hypercalls.get(key) ?? 0) + 1);
      },
    },
  });
  before?.(boot.machine);
  if (input !== undefined) boot.machine.consoleDevice?.pipe(Buffer.from(input));
  const last = await runMachine(boot.machine, { input: noInput, maxInstructions });
  const { outcome, reason } = boot.outcome ?? last;
  const lines = printable(Buffer.from(text, 'latin1').toString('utf8')).split('\n').map(withoutTime);
  const counted = (part) => ({
    services: Object.fromEntries(part.services),
    ...(setup.xen === undefined ? {} : { hypercalls: Object.fromEntries(part.hypercalls) }),
  });
  return {
    boot,
    lines,
    ...(first && { before: { instructions: first.instructions, ...counted(first) } }),
    result: {
      outcome,
      reason,
      instructions: boot.machine.instructions,
      userSpace: /USERSPACE-UP|== second|== up/.test(text),
      ...counted({ services: statuses, hypercalls }),
      missed: (boot.firmware?.missedServices() ?? []).map(({ name, calls: times, profile }) => ({
        name,
        calls: times,
        profile: profile ?? null,
      })),
    },
  };
}

/** The lines that match, each once. */
export const said = (lines, pattern) => [...new Set(lines.filter((line) => pattern.test(line)))];

/** The last lines that say something. */
export const lastLines = (lines, count) => lines.filter((line) => line.trim() !== '').slice(-count);
