import { layout } from '../../memory/layout.js';
import { GuestAddressError } from '../../memory/guest-memory.js';
import type { Domain } from '../domain.js';
import { Errno } from '../errno.js';
import { GuestStruct } from '../guest-struct.js';
import {
  Continuation,
  elementsAtOnce,
  withStruct,
  plain,
  type Call,
  type Hypercall,
  type Result,
} from '../hypercall.js';
import { foreign } from './foreign-domain.js';

// Structures of xen/include/public/memory.h.
const Reservation = new GuestStruct('xen_memory_reservation', {
  extent_start: 'pointer',
  nr_extents: 'ulong',
  extent_order: 'u32',
  mem_flags: 'u32',
  domid: 'u16',
});
const MemoryDomain = new GuestStruct('xen_memory_domain', { domid: 'u16' });
const AddToPhysmap = new GuestStruct('xen_add_to_physmap', {
  domid: 'u16',
  size: 'u16',
  space: 'u32',
  idx: 'ulong',
  gpfn: 'ulong',
});
const AddToPhysmapBatch = new GuestStruct('xen_add_to_physmap_batch', {
  domid: 'u16',
  space: 'u16',
  size: 'u16',
  u: 'u16',
  idxs: 'pointer',
  gpfns: 'pointer',
  errs: 'pointer',
});
const RemoveFromPhysmap = new GuestStruct('xen_remove_from_physmap', { domid: 'u16', gpfn: 'ulong' });
const MemoryMap = new GuestStruct('xen_memory_map', { nr_entries: 'u32', buffer: 'pointer' });
const ForeignMemoryMap = new GuestStruct('xen_foreign_memory_map', {
  domid: 'u16',
  nr_entries: 'u32',
  buffer: 'pointer',
});
/** The same where a pointer is aligned to 8: the inner structure begins at its own alignment. */
const ForeignMemoryMapWide = new GuestStruct('xen_foreign_memory_map', {
  domid: 'u16',
  pad0: 'u16',
  pad1: 'u32',
  nr_entries: 'u32',
  buffer: 'pointer',
});
const Long = new GuestStruct('xen_ulong_t', { value: 'ulong' });

/** XENMAPSPACE_*. */
const Space = { sharedInfo: 0, grantTable: 1, gmfn: 2, gmfnRange: 3, gmfnForeign: 4, deviceMmio: 5 } as const;
const statusFrames = 0x8000_0000n; // XENMAPIDX_grant_table_status
const mostMapEntries = 1024;
const mapEntryBytes = 20;
const largestOrder = 9; // 2 MiB: what a domU may take at once
/** The most extents that a continuation can count. */
const extentLimit = (1n << 26n) - 1n;
/** Beyond the physical addresses that the processor has: 40 bits. */
const frameLimit = 1n << 28n;
const noFrame = (1n << 64n) - 1n; // INVALID_GFN

/** memory_op's number holds in its upper bits where a continuation goes on. */
const startOf = (registers: readonly bigint[]): bigint => (registers[0] ?? 0n) >> 6n;
const goOnAt = ({ registers: [cmd = 0n, arg = 0n] }: Pick<Call, 'registers'>, done: bigint): Continuation =>
  new Continuation([(cmd & 63n) | (done << 6n), arg]);

/** The local APIC's window is no frame to be replaced: p2m_mmio_direct. */
const apicFrame = layout.localApic / 4096;

const isFrame = (gfn: bigint): boolean => gfn < frameLimit;

/** xenmem_add_to_physmap_one() of arch/x86/mm/p2m.c. */
function addOne(domain: Domain, space: number, idx: bigint, gpfn: bigint): number {
  if (!isFrame(gpfn)) return Errno.EINVAL;
  const gfn = Number(gpfn);
  if (gfn === apicFrame) return Errno.EPERM;
  switch (space) {
    case Space.sharedInfo:
      if (idx !== 0n) return Errno.EINVAL;
      domain.physmap.mapSharedInfo(gfn);
      return 0;
    case Space.grantTable: {
      const { grants } = domain;
      const status = grants.version === 2 && (idx & statusFrames) !== 0n;
      const index = Number(BigInt.asUintN(32, idx) & (status ? ~statusFrames : 0xffff_ffffn));
      const page = status ? grants.statusFrame(index) : grants.frame(index);
      if (page === undefined) return Errno.EINVAL;
      domain.physmap.mapPage(page, gfn);
      return 0;
    }
    case Space.gmfn: {
      if (!isFrame(idx) || !domain.frames.has(Number(idx))) return Errno.EINVAL;
      if (idx !== gpfn) domain.physmap.move(Number(idx), gfn);
      return 0;
    }
    case Space.gmfnForeign: // the hardware domain's alone
      return Errno.EPERM;
    default:
      return Errno.EINVAL;
  }
}

/** xatp_permission_check(): MMIO of devices is not for an HVM domain to map. */
const permitted = (space: number): Result => (space === Space.deviceMmio ? Errno.EACCES : 0);

function addToPhysmap(
  call: Call<{ domid: 'u16'; size: 'u16'; space: 'u32'; idx: 'ulong'; gpfn: 'ulong' }>,
): Result | Continuation {
  const start = startOf(call.registers);
  if (start > 0xffffn) return Errno.EDOM;
  const { domid, size, space, idx, gpfn } = call.load();
  if (space === Space.gmfnForeign) return Errno.ENOSYS;
  const { domain } = call;
  const refused = foreign(domain, domid) ?? permitted(space);
  if (refused !== 0) return refused;
  if (gpfn === noFrame) return Errno.EINVAL;
  if (space !== Space.gmfnRange) return addOne(domain, space, idx, gpfn);
  if (BigInt(size) < start) return Errno.EILSEQ;
  if (gpfn + BigInt(size) > 0xffff_ffff_ffff_ffffn || idx + BigInt(size) > 0xffff_ffff_ffff_ffffn)
    return Errno.EOVERFLOW;
  for (let i = start; i < BigInt(size); i++) {
    if (i - start === BigInt(elementsAtOnce)) return goOnAt(call, i);
    const result = addOne(domain, Space.gmfn, idx + i, gpfn + i);
    if (result < 0) return result;
  }
  return 0;
}

/** What a guest's memory holds; undefined where it cannot be read. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof GuestAddressError) return undefined;
    throw error;
  }
}

type Adjust = (domain: Domain, gfn: number) => boolean;

/** Extents of a reservation, until one fails: the answer is how many were done. xen/common/memory.c. */
function adjust(
  call: Call<{ extent_start: 'pointer'; nr_extents: 'ulong'; extent_order: 'u32'; mem_flags: 'u32'; domid: 'u16' }>,
  one: Adjust,
): Result | Continuation {
  const start = startOf(call.registers);
  const reservation = readable(() => call.load());
  if (reservation === undefined) return start;
  const { extent_start, nr_extents, extent_order, domid } = reservation;
  if (nr_extents > extentLimit || start >= nr_extents) return start;
  if (foreign(call.domain, domid) !== undefined || extent_order > largestOrder) return start;
  const frames = 1 << extent_order;
  const atOnce = BigInt(Math.max(1, elementsAtOnce / frames));
  for (let i = start; i < nr_extents; i++) {
    if (i - start === atOnce) return goOnAt(call, i);
    const gfn = readable(() => call.readStruct(Long, extent_start + i * BigInt(Long.size(call.wide))).value);
    if (gfn === undefined || !isFrame(gfn)) return i;
    for (let frame = 0; frame < frames; frame++) if (!one(call.domain, Number(gfn) + frame)) return i;
  }
  return nr_extents;
}

const noStart = (call: Call, then: () => Result): Result => (startOf(call.registers) !== 0n ? Errno.EINVAL : then());

/** Pages that a domain has, may have, and its highest frame. */
const statistic = (number: number, name: string, of: (domain: Domain) => number) =>
  withStruct(number, name, MemoryDomain, (call) =>
    startOf(call.registers) !== 0n ? Errno.EINVAL : (foreign(call.domain, call.load().domid) ?? of(call.domain)),
  );

/** HYPERVISOR_memory_op. xen/common/memory.c, xen/arch/x86/mm.c. */
export const memoryOp: Hypercall = {
  number: 12,
  name: 'memory_op',
  registers: ['cmd', 'arg'],
  select: ([cmd = 0n]) => Number(cmd & 63n),
  operations: [
    withStruct(0, 'XENMEM_increase_reservation', Reservation, (call) => adjust(call, () => false)),
    withStruct(1, 'XENMEM_decrease_reservation', Reservation, (call) =>
      adjust(call, (domain, gfn) => domain.physmap.remove(gfn)),
    ),
    plain(2, 'XENMEM_maximum_ram_page', (call) => noStart(call, () => call.domain.frames.ramEnd)),
    statistic(3, 'XENMEM_current_reservation', ({ frames }) => frames.count),
    statistic(4, 'XENMEM_maximum_reservation', ({ physmap }) => physmap.mostFrames),
    withStruct(6, 'XENMEM_populate_physmap', Reservation, (call) =>
      adjust(call, (domain, gfn) => domain.physmap.populate(gfn)),
    ),
    withStruct(7, 'XENMEM_add_to_physmap', AddToPhysmap, addToPhysmap),
    withStruct(9, 'XENMEM_memory_map', MemoryMap, (call) => {
      const map = call.load();
      const { e820 } = call.domain.physmap;
      const entries = e820.slice(0, Math.min(map.nr_entries, e820.length / mapEntryBytes) * mapEntryBytes);
      call.write(map.buffer, entries);
      call.store({ ...map, nr_entries: entries.length / mapEntryBytes });
      return 0;
    }),
    plain(10, 'XENMEM_machine_memory_map', () => Errno.ENOSYS), // hvm_memory_op(): not for HVM domains
    plain(11, 'XENMEM_exchange', (call) =>
      noStart(call, () => {
        call.readStruct(Reservation, call.registers[1] ?? 0n);
        return Errno.EOPNOTSUPP; // the machine's frames are nothing to a translated domain
      }),
    ),
    withStruct(13, 'XENMEM_set_memory_map', ForeignMemoryMapWide, (call) => {
      const layout = call.wide ? ForeignMemoryMapWide : ForeignMemoryMap;
      const { domid, nr_entries, buffer } = call.readStruct(layout, call.registers[1] ?? 0n);
      if (nr_entries > mostMapEntries) return Errno.EINVAL;
      const other = foreign(call.domain, domid);
      if (other !== undefined) return other;
      call.domain.physmap.e820 = call.read(buffer, nr_entries * mapEntryBytes);
      return 0;
    }),
    statistic(14, 'XENMEM_maximum_gpfn', ({ frames }) => frames.highest),
    withStruct(15, 'XENMEM_remove_from_physmap', RemoveFromPhysmap, (call) =>
      noStart(call, () => {
        const { domid, gpfn } = call.load();
        const other = foreign(call.domain, domid);
        if (other !== undefined) return other;
        return isFrame(gpfn) && call.domain.physmap.remove(Number(gpfn)) ? 0 : Errno.ENOENT;
      }),
    ),
    withStruct(23, 'XENMEM_add_to_physmap_batch', AddToPhysmapBatch, (call) => {
      const start = startOf(call.registers);
      if (start > 0xffffn) return Errno.EDOM;
      const { domid, space, size, idxs, gpfns, errs } = call.load();
      if (space === Space.gmfnRange) return Errno.EOPNOTSUPP;
      const refused = foreign(call.domain, domid) ?? permitted(space);
      if (refused !== 0) return refused;
      if (BigInt(size) < start) return Errno.EILSEQ;
      if (BigInt(size) === start) return start === 0n ? 0 : Errno.EILSEQ;
      const stride = BigInt(Long.size(call.wide));
      for (let i = start; i < BigInt(size); i++) {
        if (i - start === BigInt(elementsAtOnce)) return goOnAt(call, i);
        const idx = call.readStruct(Long, idxs + i * stride).value;
        const gpfn = call.readStruct(Long, gpfns + i * stride).value;
        if (gpfn === noFrame) return Errno.EINVAL;
        const result = new Uint8Array(4);
        new DataView(result.buffer).setInt32(0, addOne(call.domain, space, idx, gpfn), true);
        call.write(errs + i * 4n, result);
      }
      return 0;
    }),
  ],
};
