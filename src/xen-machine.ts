/** The machine as Xen sees it, and the domain that the toolstack builds in it. */
import { HvmMemmapType } from '../firmware-tables/pvh/start-info.js';
import { ConfigurationTable } from '../firmware-tables/uefi/configuration-table.js';
import { Guid } from '../firmware-tables/uefi/guids.js';
import { revision210 } from '../firmware-tables/uefi/table-header.js';
import { PAGE_BYTES } from './devices/page-memory.js';
import { SpecialPage, specialFrame, type SpecialPages } from './devices/special-pages.js';
import type { Machine } from './machine.js';
import { rangesOfMap } from './memory/guest-map.js';
import { layout } from './memory/layout.js';
import { structureOf } from './memory/provided.js';
import { Domain, type DomainDescription } from './xen/domain.js';
import type { CallMode, XenHost } from './xen/host.js';
import type { HostFirmware } from './xen/hypercalls/platform.js';

const PROTECTION_ENABLE = 1n;
const INTERRUPT_ENABLE = 1n << 9n;
const VIRTUAL_8086 = 1n << 17n;
const LONG_MODE_ACTIVE = 1n << 10n;
const LONG_CODE = 1 << 13; // L of a segment's attributes

/** How a guest under Xen is set up. */
export interface XenOptions {
  /** The domain's name; `efikit` when left out. */
  readonly name?: string;
  /** Its UUID, in lower case with hyphens. */
  readonly uuid?: string;
  /**
   * The guest is dom0, on a machine whose firmware was a BIOS or EFI. It believes so if hvm_start_info says so as well:
   * StartInfoFlag.PRIVILEGED and INITDOMAIN, an option of the PVH door. A domU when left out.
   */
  readonly initialDomain?: 'bios' | 'efi';
}

const instructionBytes = 3; // VMCALL and VMMCALL
const defaultUuid = '6566696b-6974-4c00-8000-000000000001';
const e820Types = { ram: HvmMemmapType.RAM, acpi: HvmMemmapType.ACPI, reserved: HvmMemmapType.RESERVED } as const;

/** The domain of a machine with special pages. `startSeconds`: the wall clock at the start. */
export function xenDomain(
  machine: Machine,
  pages: SpecialPages,
  { name = 'efikit', uuid = defaultUuid, initialDomain }: XenOptions,
  { startSeconds, log }: { readonly startSeconds: number; readonly log: (line: string) => void },
): Domain {
  const { acpiPages } = machine.platform;
  const page = (number: number) => ({ bytes: pages.page(number), gfn: specialFrame(number) });
  machine.provided.occupy('xen', 'special pages', layout.specialPages, layout.specialPagesBytes);
  const description: DomainDescription = {
    number: initialDomain === undefined ? 1 : 0,
    name,
    uuid,
    startSeconds,
    instruction: 'vmcall',
    windows: acpiPages === undefined ? [pages] : [pages, acpiPages],
    consolePage: page(SpecialPage.console),
    xenstorePage: page(SpecialPage.xenstore),
    e820: e820(machine),
    ...(initialDomain && { initial: initialDomain === 'efi' ? { firmware: hostFirmware(machine, pages) } : {} }),
  };
  return new Domain(xenHost(machine, log), description);
}

/** What the firmware under Xen left: a configuration table with the RSDP, in a special page that dom0 has no other use for. */
function hostFirmware(machine: Machine, pages: SpecialPages): HostFirmware {
  const entry = ConfigurationTable.encode({ VendorGuid: Guid.EFI_ACPI_20_TABLE, VendorTable: BigInt(machine.rsdp) });
  pages.page(SpecialPage.paging).set(entry);
  const address = specialFrame(SpecialPage.paging) * PAGE_BYTES;
  machine.provided.add(structureOf('xen', "configuration table of dom0's host", address, [ConfigurationTable]));
  return {
    revision: revision210,
    vendor: 'efikit',
    vendorRevision: 1,
    configurationTable: { address, entries: 1 },
  };
}

/** The map that the toolstack hands to Xen: what the PVH door tells the guest as well. */
function e820(machine: Machine): Uint8Array {
  const ranges = rangesOfMap(machine.memory, machine.map, machine.rsdp !== 0);
  const bytes = new Uint8Array(ranges.length * 20);
  const view = new DataView(bytes.buffer);
  ranges.forEach(({ start, end, kind }, i) => {
    view.setBigUint64(20 * i, BigInt(start), true);
    view.setBigUint64(20 * i + 8, BigInt(end - start), true);
    view.setUint32(20 * i + 16, e820Types[kind], true);
  });
  return bytes;
}

function xenHost(machine: Machine, log: (line: string) => void): XenHost {
  const { processor } = machine;
  const { registers } = processor;
  return {
    memory: machine.memory,
    provided: machine.provided,
    getRegister: (name) => registers.get(name),
    setRegister: (name, value) => {
      registers.set(name, value);
    },
    get rip() {
      return registers.rip;
    },
    get cpl() {
      return registers.cpl;
    },
    get mode(): CallMode {
      if ((registers.cr0 & PROTECTION_ENABLE) === 0n) return 'real';
      if ((registers.rflags & VIRTUAL_8086) !== 0n) return 'vm86';
      const long = (registers.efer & LONG_MODE_ACTIVE) !== 0n && (registers.segment('cs').attributes & LONG_CODE) !== 0;
      return long ? 'wide' : 'narrow';
    },
    now: () => machine.ticks,
    timeStamp: () => processor.timeStamp(),
    schedule: (name, tick) => {
      machine.schedule(name, tick);
    },
    cancel: (name) => {
      machine.events.cancel(name);
    },
    interrupt: (vector) => {
      machine.platform.localApic.inject(vector);
    },
    setCallbackLine: (asserted) => {
      machine.setCallbackLine(asserted);
    },
    interruptDue: () => machine.interruptWaits && (registers.rflags & INTERRUPT_ENABLE) !== 0n,
    block: () => {
      processor.halted = true;
    },
    wake: () => {
      processor.halted = false;
    },
    repeat: () => {
      registers.rip = BigInt.asUintN(64, registers.rip - BigInt(instructionBytes));
    },
    end: (end) => {
      machine.end(end);
    },
    log,
  };
}
