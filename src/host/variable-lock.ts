import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { codeOf } from './console-output.js';

/** Another process has the file. */
export class LockedError extends Error {
  override readonly name = 'LockedError';
  readonly code = 'LOCKED';
}

const attempts = 6;
const longestPause = 40; // milliseconds
const lockName = /^(\d+)-(\d+)-([0-9a-f]*)-([0-9a-f]{8})-[0-9a-f]{8}$/; // PID, START, BOOT, HOST, RANDOM

/**
 * Takes a file for this process and answers what gives it back. Node has no lock that the system drops with its process,
 * so each process that wants FILE creates .FILE.lock-PID-START-BOOT-HOST-RANDOM beside it, a name that nobody ever uses again,
 * and then looks for others: of two that hold one, the later has seen the earlier, so at most one goes on. Those of
 * processes that are gone are removed, which can harm nobody. Throws LockedError, or the system's error.
 */
export function lockFile(file: string): () => void {
  const folder = path.dirname(file);
  const prefix = `.${path.basename(file)}.lock-`;
  for (let attempt = 1; ; attempt++) {
    const mine = `${prefix}${identity(process.pid)}-${randomBytes(4).toString('hex')}`;
    closeSync(openSync(path.join(folder, mine), 'wx', 0o644));
    const release = (): void => {
      process.removeListener('exit', release);
      removeIfThere(path.join(folder, mine));
    };
    let other: string | undefined;
    try {
      other = livingOther(folder, prefix, mine);
    } catch (error) {
      release();
      throw error;
    }
    if (other === undefined) {
      process.on('exit', release);
      return release;
    }
    release();
    if (attempt === attempts) throw new LockedError(describe(file, folder, other));
    // Two that came at once have both stepped back: one will be first next time.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * longestPause);
  }
}

function livingOther(folder: string, prefix: string, mine: string): string | undefined {
  const isLock = (name: string): boolean => name.startsWith(prefix) && lockName.test(name.slice(prefix.length));
  const others = readdirSync(folder).filter((name) => isLock(name) && name !== mine);
  for (const other of others) {
    if (isAlive(other.slice(prefix.length))) return other;
    removeIfThere(path.join(folder, other));
  }
  return undefined;
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // another process has removed it, or the next one will
  }
}

/** PID-START-BOOT-HOST of a process on this host; START tells it from a later one of the same number. */
function identity(pid: number): string {
  return [String(pid), statusOf(pid)?.start ?? '0', boot(), host()].join('-');
}

/** False only when the process is certainly gone. `text` is PID-START-BOOT-HOST-RANDOM. */
function isAlive(text: string): boolean {
  const [, pid = '', start = '', itsBoot, itsHost] = lockName.exec(text) ?? [];
  if (itsHost !== host()) return true; // of another host or container: who can tell?
  if (itsBoot !== boot()) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
  }
  const status = statusOf(Number(pid));
  return status === undefined || (status.start === start && !status.ended);
}

/**
 * When a process started, in the kernel's ticks, and whether it has ended and only waits for its parent to notice (a
 * zombie still has its number); undefined where the system does not say. proc(5), /proc/PID/stat, fields 22 and 3.
 */
function statusOf(pid: number): { readonly start: string | undefined; readonly ended: boolean } | undefined {
  const stat = readText(`/proc/${String(pid)}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from field 3 on: the name before may hold anything
  return { start: fields[19], ended: fields[0] === 'Z' || fields[0] === 'X' };
}

const boot = (): string => (readText('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);

/** The host and its process numbers: a container has its own. */
function host(): string {
  let namespace = '';
  try {
    namespace = readlinkSync('/proc/self/ns/pid');
  } catch {
    // no Linux
  }
  const machine = readText('/etc/machine-id') ?? ''; // machine-id(5): hosts of one name are common
  return createHash('sha256').update(`${hostname()} ${machine} ${namespace}`).digest('hex').slice(0, 8);
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function describe(file: string, folder: string, other: string): string {
  const [, pid = '', , , itsHost] = lockName.exec(other.slice(`.${path.basename(file)}.lock-`.length)) ?? [];
  if (itsHost === host()) return `${file} is in use by process ${pid}: wait for its end, or take another file`;
  return `${file} is in use by process ${pid} of another host or container; if that is gone, remove ${path.join(folder, other)}`;
}
