import { efi } from '../../src/boot/efi.js';
import { Firmware, linux, type Profile } from '../../src/firmware/index.js';
import { readImage } from '../../src/loaders/read-image.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { Machine } from '../../src/machine.js';
import * as L from '../../src/cpu/state-layout.js';
import { smallPe } from '../support/images.js';
import { PlainHost } from './plain-host.js';

const ramBytes = 64 << 20;
const present = 1n;
const writable = 2n;
const page = 4096n;
/** Tables and pages of ours in the middle of RAM, which no session hands out before the rest. */
const tables = 0x180_0000;
const plainPage = 0x190_0000;

/** Where each kind of page begins; every one is followed by a page that is not there, but the first two and the last. */
export const places = {
  plain: 0x80_0000_0000n, // two pages that may be read and written
  readOnly: 0x80_0000_3000n,
  device: 0x80_0000_5000n, // the local APIC
  noRam: 0x80_0000_7000n, // behind RAM
  farAway: 0x80_0000_9000n, // the last page of MAXPHYADDR
  absent: 0x80_0000_b000n,
  lastOfRam: 0x80_0000_d000n,
  top: 0xffff_ffff_ffff_f000n, // behind it the addresses wrap to 0
} as const;

/**
 * Firmware over the real processor's page tables, on which services are called directly. One machine serves many
 * sessions; each has a firmware of its own.
 */
export class ServiceMachine {
  private readonly machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: ramBytes });
  private readonly zeros = new Uint8Array(ramBytes);
  /** Guest-physical addresses outside RAM that were asked for in this session. */
  deviceAccesses: number[] = [];
  host: PlainHost;
  firmware: Firmware;

  constructor() {
    const { machine } = this;
    // A pointer may name device memory; which device answers is not the services' business.
    machine.platform.readMmio = (address) => {
      this.deviceAccesses.push(address);
      return 0xff;
    };
    machine.platform.writeMmio = (address) => void this.deviceAccesses.push(address);
    this.host = new PlainHost(machine.memory);
    this.firmware = new Firmware(this.host);
  }

  get ramBytes(): number {
    return ramBytes;
  }

  /** A new firmware, with an image at its entry and the places mapped. Answers a stack pointer. */
  begin(profile: Profile = linux): bigint {
    const { machine } = this;
    this.deviceAccesses = [];
    machine.memory.writePhysical(0, this.zeros);
    this.host = new PlainHost(machine.memory);
    this.firmware = new Firmware(this.host, { profile, strict: true });
    const target = { memory: machine.memory, rsdp: machine.rsdp, firmware: this.firmware };
    const options = { commandLine: 'fuzz', modules: [], initrd: new Uint8Array(5000).fill(7) };
    const entry = efi.enter(target, readImage(smallPe()), options);
    machine.processor.enter(entry);
    this.mapPlaces(Number(entry.cr3));
    const rsp = (entry.registers?.rsp ?? 0n) - 0x1000n;
    this.host.setRegister('rsp', rsp);
    return rsp;
  }

  /** Throws when anything behind the guest's RAM was written. */
  requireGuard(): void {
    const { u8 } = this.machine.memory as unknown as { u8: Uint8Array };
    const behind = u8.subarray(L.RAM + ramBytes);
    if (behind.some((byte) => byte !== 0)) throw new Error('a byte behind the guest RAM was written');
  }

  private mapPlaces(pml4: number): void {
    const { memory } = this.machine;
    const put = (table: number, index: number, value: bigint): void => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, value, true);
      memory.writePhysical(table + index * 8, bytes);
    };
    memory.writePhysical(tables, new Uint8Array(6 * 4096));
    const table = (n: number): bigint => BigInt(tables + n * 4096) | present | writable;
    put(pml4, 1, table(0));
    put(tables, 0, table(1));
    put(tables + 4096, 0, table(2));
    put(pml4, 511, table(3));
    put(tables + 3 * 4096, 511, table(4));
    put(tables + 4 * 4096, 511, table(5));
    const leaves: readonly (readonly [bigint, bigint])[] = [
      [places.plain, BigInt(plainPage) | writable],
      [places.plain + page, BigInt(plainPage + 4096) | writable],
      [places.readOnly, BigInt(plainPage + 2 * 4096)],
      [places.device, 0xfee0_0000n | writable],
      [places.noRam, BigInt(ramBytes) | writable],
      [places.farAway, 0xff_ffff_f000n | writable],
      [places.lastOfRam, BigInt(ramBytes - 4096) | writable],
    ];
    for (const [linear, frame] of leaves) {
      put(tables + 2 * 4096, Number((linear - places.plain) / page), frame | present);
    }
    put(tables + 5 * 4096, 511, BigInt(plainPage + 3 * 4096) | writable | present);
    this.machine.processor.registers.cr3 = BigInt(pml4);
  }
}
