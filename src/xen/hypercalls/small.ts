/** Hypercalls of one operation, and those that a domU without physical devices may not make. */
import { Errno } from '../errno.js';
import { Continuation, elementsAtOnce, plain, type Call, type Hypercall, type Result } from '../hypercall.js';

const runstateUpdateFlag = 5n; // VMASST_TYPE_runstate_update_flag, the only one of an HVM domain
const hugeTimeout = 1 << 18; // from 2^50 ns on
const millisecond = 1_000_000;

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

/** HYPERVISOR_vm_assist. xen/common/domain.c. */
export const vmAssist: Hypercall = {
  number: 21,
  name: 'vm_assist',
  registers: ['cmd', 'type'],
  select: ([cmd = 0n]) => Number(BigInt.asUintN(32, cmd)),
  check: (_domain, [, type = 0n]) => (BigInt.asUintN(32, type) === runstateUpdateFlag ? undefined : Errno.EINVAL),
  operations: [
    plain(0, 'VMASST_CMD_enable', ({ domain }) => {
      domain.runstateUpdateFlag = true;
      return 0;
    }),
    plain(1, 'VMASST_CMD_disable', ({ domain }) => {
      domain.runstateUpdateFlag = false;
      return 0;
    }),
  ],
};

/** HYPERVISOR_set_timer_op: the single-shot timer to a system time; 0 stops it. 32-bit callers give it in two registers. */
export const setTimerOp: Hypercall = {
  number: 15,
  name: 'set_timer_op',
  registers: ['timeout', 'high'],
  operations: [
    plain(0, 'set_timer_op', ({ domain, wide, registers: [low = 0n, high = 0n] }): Result => {
      const timeout = BigInt.asIntN(64, wide ? low : low | (high << 32n));
      const now = BigInt(domain.now());
      const { time } = domain;
      if (timeout === 0n) time.stopSingleShot();
      else if (timeout < 0n || (timeout > now && Number(((timeout - now) >> 32n) & 0xffff_ffffn) >= hugeTimeout))
        time.setSingleShot(domain.now() + 100 * millisecond);
      else time.setSingleShot(Number(timeout));
      return 0;
    }),
  ],
};

const PHYSDEVOP_map_pirq = 13;
const PHYSDEVOP_unmap_pirq = 14;

/** HYPERVISOR_physdev_op of a domain without physical interrupts: only a toolstack maps one. arch/x86/hvm/hypercall.c. */
export const physdevOp: Hypercall = {
  number: 33,
  name: 'physdev_op',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(BigInt.asIntN(32, cmd)),
  operations: [
    plain(PHYSDEVOP_map_pirq, 'PHYSDEVOP_map_pirq', (call) => {
      call.read(call.registers[1] ?? 0n, call.wide ? 32 : 28);
      return Errno.EPERM;
    }),
    plain(PHYSDEVOP_unmap_pirq, 'PHYSDEVOP_unmap_pirq', (call) => {
      call.read(call.registers[1] ?? 0n, 8);
      return Errno.EPERM;
    }),
  ],
};

/** A hypercall of the control domain: the version in its structure is looked at before the caller. */
const control = (number: number, name: string, bytes: number, version: number): Hypercall => ({
  number,
  name,
  registers: ['u_op'],
  pointer: 0,
  operations: [
    plain(0, name, (call) => {
      const op = call.read(call.registers[0] ?? 0n, bytes);
      const given = new DataView(op.buffer).getUint32(4, true);
      call.show('cmd', String(new DataView(op.buffer).getUint32(0, true)));
      return given === version ? Errno.EPERM : Errno.EACCES;
    }),
  ],
});

/** xen_sysctl and xen_domctl: sizes and interface versions of Xen 4.17. */
export const sysctl = control(35, 'sysctl', 136, 0x15);
export const domctl = control(36, 'domctl', 144, 0x15);

/** HYPERVISOR_xenpmu_op: no performance counters for guests. */
export const xenpmuOp: Hypercall = {
  number: 40,
  name: 'xenpmu_op',
  registers: ['op', 'arg'],
  operations: [plain(0, 'xenpmu_op', () => Errno.EOPNOTSUPP)],
};

/** HYPERVISOR_hypfs_op: for the control domain. */
export const hypfsOp: Hypercall = {
  number: 42,
  name: 'hypfs_op',
  registers: ['cmd', 'arg1', 'arg2', 'arg3', 'arg4'],
  operations: [plain(0, 'hypfs_op', () => Errno.EPERM)],
};
