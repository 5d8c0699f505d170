import { Errno } from '../errno.js';
import { Continuation, elementsAtOnce, plain, type Call, type Hypercall, type Result } from '../hypercall.js';

const mostConsoleBytes = 0x7fff_ffffn;
const consoleChunk = 127n; // what Xen takes at a time

/** CONSOLEIO_write: what the initial domain writes goes to Xen's own console, here the terminal. */
function consoleWrite(call: Call): Result | Continuation {
  const {
    domain,
    registers: [cmd = 0n, count = 0n, buffer = 0n],
  } = call;
  if (!domain.isInitial) return Errno.EPERM;
  const bytes = BigInt.asUintN(32, count);
  if (bytes > mostConsoleBytes) return Errno.E2BIG;
  for (let at = 0n; at < bytes; at += consoleChunk) {
    if (at === consoleChunk * BigInt(elementsAtOnce)) return new Continuation([cmd, bytes - at, buffer + at]);
    const chunk = bytes - at < consoleChunk ? bytes - at : consoleChunk;
    domain.console.onOutput(call.read(buffer + at, Number(chunk)));
  }
  return 0;
}

/** HYPERVISOR_console_io: a release build of Xen keeps it to dom0. xen/include/xsm/dummy.h. */
export const consoleIo: Hypercall = {
  number: 18,
  name: 'console_io',
  registers: ['cmd', 'count', 'buffer'],
  select: ([cmd = 0n]) => Number(BigInt.asUintN(32, cmd)),
  operations: [
    plain(0, 'CONSOLEIO_write', consoleWrite),
    plain(1, 'CONSOLEIO_read', ({ domain }) => (domain.isInitial ? 0 : Errno.EPERM)), // nobody types there
  ],
  otherwise: Errno.EPERM,
};
