import { Errno } from '../errno.js';
import { maxGrantFrames } from '../grant-table.js';
import { GuestStruct, type Fields } from '../guest-struct.js';
import { Continuation, elementsAtOnce, plain, withStruct, type Call, type Hypercall } from '../hypercall.js';
import { foreign } from './foreign-domain.js';

// Structures of xen/include/public/grant_table.h.
const QuerySize = new GuestStruct('gnttab_query_size', {
  dom: 'u16',
  nr_frames: 'u32',
  max_nr_frames: 'u32',
  status: 'u16',
});
const SetupTable = new GuestStruct('gnttab_setup_table', {
  dom: 'u16',
  nr_frames: 'u32',
  status: 'u16',
  frame_list: 'pointer',
});
const SetVersion = new GuestStruct('gnttab_set_version', { version: 'u32' });
const GetVersion = new GuestStruct('gnttab_get_version', { dom: 'u16', version: 'u32' });
const MapGrantRef = new GuestStruct('gnttab_map_grant_ref', {
  host_addr: 'u64',
  flags: 'u32',
  ref: 'u32',
  dom: 'u16',
  status: 'u16',
  handle: 'u32',
  dev_bus_addr: 'u64',
});
const UnmapGrantRef = new GuestStruct('gnttab_unmap_grant_ref', {
  host_addr: 'u64',
  dev_bus_addr: 'u64',
  handle: 'u32',
  status: 'u16',
});
const Copy = new GuestStruct('gnttab_copy', {
  source: 'ulong',
  source_domid: 'u16',
  source_offset: 'u16',
  dest: 'ulong',
  dest_domid: 'u16',
  dest_offset: 'u16',
  len: 'u16',
  flags: 'u16',
  status: 'u16',
});
const Swap = new GuestStruct('gnttab_swap_grant_ref', { ref_a: 'u32', ref_b: 'u32', status: 'u16' });

/** GNTST_*, as 16 bits of a signed number. */
const Status = {
  okay: 0,
  general_error: 0xffff,
  bad_domain: 0xfffe,
  bad_gntref: 0xfffd,
  bad_handle: 0xfffc,
  permission_denied: 0xfff8,
} as const;

const countOf = (call: Call): number => Number(BigInt.asUintN(32, call.registers[2] ?? 0n));

/** Why an operation on that domain's table is refused, as a status. */
function refusal(call: Call, dom: number): number | undefined {
  const other = foreign(call.domain, dom);
  if (other === undefined) return undefined;
  return other === Errno.EPERM ? Status.permission_denied : Status.bad_domain;
}

/** Each element of an array gets a status of its own. */
function each<F extends Fields>(
  call: Call,
  layout: GuestStruct<F>,
  statusOf: (op: { dom?: number }) => number,
): number | Continuation {
  const size = layout.size(call.wide);
  const count = countOf(call);
  for (let i = 0; i < count; i++) {
    const at = (call.registers[1] ?? 0n) + BigInt(i * size);
    if (i === elementsAtOnce) return new Continuation([call.registers[0] ?? 0n, at, BigInt(count - i)]);
    const op = call.readStruct(layout, at);
    call.writeStruct(layout, at, { ...op, status: statusOf(op) });
  }
  return 0;
}

/** What is mapped is a grant of another domain to this one, and no other domain has granted anything. */
const mapStatus =
  (call: Call) =>
  ({ dom = 0 }: { dom?: number }): number =>
    dom === 0 || dom === call.domain.number ? Status.bad_gntref : Status.bad_domain;

/** HYPERVISOR_grant_table_op. xen/common/grant_table.c; which operations an HVM domain has: arch/x86/hvm/hypercall.c. */
export const grantTableOp: Hypercall = {
  number: 20,
  name: 'grant_table_op',
  registers: ['cmd', 'uop', 'count'],
  select: ([cmd = 0n]) => Number(BigInt.asUintN(32, cmd)),
  // A count that an int cannot hold is wrong for every operation.
  check: (_domain, [cmd = 0n, , count = 0n]) =>
    operationNumbers.has(Number(BigInt.asUintN(32, cmd))) && BigInt.asUintN(32, count) >= 0x8000_0000n
      ? Errno.EINVAL
      : undefined,
  operations: [
    plain(0, 'GNTTABOP_map_grant_ref', (call) => each(call, MapGrantRef, mapStatus(call))),
    plain(1, 'GNTTABOP_unmap_grant_ref', (call) => each(call, UnmapGrantRef, () => Status.bad_handle)),
    withStruct(2, 'GNTTABOP_setup_table', SetupTable, (call) => {
      if (countOf(call) !== 1) return Errno.EINVAL;
      const op = call.load();
      const { grants } = call.domain;
      const status = refusal(call, op.dom) ?? (op.nr_frames > maxGrantFrames ? Status.general_error : Status.okay);
      if (status === Status.okay) {
        grants.grow(op.nr_frames);
        const frames = Array.from({ length: op.nr_frames }, (_, i) => grants.frame(i)?.gfn);
        frames.forEach((gfn, i) => {
          call.writeStruct(Frame, op.frame_list + BigInt(i * Frame.size(call.wide)), { gfn: BigInt(gfn ?? -1) });
        });
      }
      call.store({ ...op, status });
      return 0;
    }),
    plain(5, 'GNTTABOP_copy', (call) => each(call, Copy, () => Status.bad_gntref)),
    withStruct(6, 'GNTTABOP_query_size', QuerySize, (call) => {
      if (countOf(call) !== 1) return Errno.EINVAL;
      const op = call.load();
      const status = refusal(call, op.dom);
      const size = { nr_frames: call.domain.grants.count, max_nr_frames: maxGrantFrames };
      call.store(status === undefined ? { ...op, ...size, status: Status.okay } : { ...op, status });
      return 0;
    }),
    withStruct(8, 'GNTTABOP_set_version', SetVersion, (call) => {
      const { version } = call.load();
      const { grants } = call.domain;
      const known = version === 1 || version === 2;
      if (known) grants.setVersion(version);
      call.store({ version: grants.version });
      return known ? 0 : Errno.EINVAL;
    }),
    withStruct(10, 'GNTTABOP_get_version', GetVersion, (call) => {
      const op = call.load();
      const other = foreign(call.domain, op.dom);
      if (other !== undefined) return other;
      call.store({ ...op, version: call.domain.grants.version });
      return 0;
    }),
    plain(11, 'GNTTABOP_swap_grant_ref', (call) => each(call, Swap, () => Status.okay)),
  ],
};

const Frame = new GuestStruct('xen_pfn_t', { gfn: 'ulong' });
const operationNumbers = new Set(grantTableOp.operations.map(({ number }) => number));
