import { BootServices } from '../../firmware-tables/uefi/boot-services.js';
import { RuntimeServices } from '../../firmware-tables/uefi/runtime-services.js';
import { SystemTable } from '../../firmware-tables/uefi/system-table.js';
import { Status } from '../../firmware-tables/uefi/status.js';
import type { ServiceCall } from '../../src/firmware/log/describe.js';
import { Firmware, type FirmwareOptions } from '../../src/firmware/firmware.js';
import type { FirmwareHost, FirmwareRegister } from '../../src/firmware/host.js';
import { linux } from '../../src/firmware/profiles.js';
import type { BootInputs, FirmwareEntry } from '../../src/firmware/set-up/set-up.js';
import { GuestAddressError, type GuestFault, type GuestMemory } from '../../src/memory/guest-memory.js';
import { isRam, ramOffset } from '../../src/memory/ram-map.js';

/** Flat memory. Virtual addresses are physical ones, and once `alias` is set also those from `alias` on. */
export class FakeMemory implements GuestMemory {
  readonly ram: Uint8Array;
  alias: bigint | undefined;
  readOnly: { readonly start: bigint; readonly end: bigint } | undefined;

  constructor(
    readonly ramBytes: number,
    readonly lowRamBytes = ramBytes,
  ) {
    this.ram = new Uint8Array(ramBytes);
  }

  private physical(address: bigint, length: number): number {
    const at = this.alias !== undefined && address >= this.alias ? address - this.alias : address;
    if (at < 0n || !isRam(this, { start: Number(at), end: Number(at) + length }))
      throw new GuestAddressError(address, length, 'not-present', { vector: 14, errorCode: 0, address });
    return Number(at);
  }

  readPhysical(address: number, length: number): Uint8Array {
    const at = this.offset(address, length);
    return this.ram.slice(at, at + length);
  }

  writePhysical(address: number, bytes: Uint8Array): void {
    this.ram.set(bytes, this.offset(address, bytes.length));
  }

  private offset(address: number, length: number): number {
    if (isRam(this, { start: address, end: address + length })) return ramOffset(this, address) ?? this.ramBytes;
    throw new GuestAddressError(BigInt(address), length, 'not-ram');
  }

  readVirtual(address: bigint, length: number): Uint8Array {
    return this.readPhysical(this.physical(address, length), length);
  }

  requireWritable(address: bigint, length: number): void {
    const range = this.readOnly;
    if (range && address < range.end && address + BigInt(length) > range.start) {
      throw new GuestAddressError(address, length, 'read-only', { vector: 14, errorCode: 3, address });
    }
    this.physical(address, length);
  }

  writeVirtual(address: bigint, bytes: Uint8Array): void {
    this.requireWritable(address, bytes.length);
    this.writePhysical(this.physical(address, bytes.length), bytes);
  }
}

export const image = {
  imageBase: 0n,
  entryPoint: 0x1010,
  sizeOfImage: 0x3000,
  sizeOfHeaders: 0x200,
  sections: [{ name: '.text', virtualAddress: 0x1000, virtualSize: 0x1800, fileOffset: 0x200, fileSize: 0x200 }],
};
export const imageFile = Uint8Array.from({ length: 0x400 }, (_, i) => i & 0xff);

/** Scratch memory of the tests, far from anything that the firmware allocates from the top. */
export const scratch = 0x20_0000n;

/** A machine without a processor: calls services as a guest would, through the pointers in the tables. */
export class FakeMachine implements FirmwareHost {
  readonly memory: FakeMemory;
  readonly firmware: Firmware;
  readonly entry: FirmwareEntry;
  readonly calls: ServiceCall[] = [];
  readonly events: string[] = [];
  private readonly registers = new Map<FirmwareRegister, bigint>();

  constructor(
    options: FirmwareOptions = {},
    inputs: Partial<BootInputs> = {},
    ramBytes = 64 << 20,
    lowRamBytes = ramBytes,
  ) {
    this.memory = new FakeMemory(ramBytes, lowRamBytes);
    this.firmware = new Firmware(this, { profile: linux, onCall: (call) => this.calls.push(call), ...options });
    this.entry = this.firmware.boot({
      image,
      file: imageFile,
      commandLine: 'console=ttyS0',
      modules: [],
      rsdp: 0xe0000,
      ...inputs,
    });
    this.registers.set('rsp', BigInt(this.entry.stackPointer - 0x1000));
  }

  getRegister = (name: FirmwareRegister): bigint => this.registers.get(name) ?? 0n;
  setRegister = (name: FirmwareRegister, value: bigint): void => void this.registers.set(name, value);
  /** The time, in ticks; tests move it. */
  tick = 4711;
  now = (): number => this.tick;
  /** What was typed and not read. */
  readonly typed: number[] = [];
  readInput = (): number | undefined => this.typed.shift();
  /** Tick to which a call that waits was put off; undefined where it is made again at once. */
  readonly repeats: (number | undefined)[] = [];
  repeat = (until?: number): void => void this.repeats.push(until);
  watchdog = (tick: number | undefined): void => void this.events.push(`watchdog ${String(tick)}`);
  stall = (ticks: number): void => void (this.tick += ticks);
  random = (): bigint => 4n;
  disableInterrupts = (): void => void this.events.push('cli');
  print = (text: string): void => void this.events.push(`print ${text}`);
  poweroff = (reason: string): void => void this.events.push(`poweroff ${reason}`);
  reset = (kind: string): void => void this.events.push(`reset ${kind}`);
  exit = (status: bigint, data?: string): void => void this.events.push(`exit ${String(status)} ${data ?? ''}`.trim());
  fault = ({ vector, errorCode, address }: GuestFault): void =>
    void this.events.push(`fault ${String(vector)} ${String(errorCode)} 0x${address.toString(16)}`);
  crash = (reason: string): void => void this.events.push(`crash ${reason}`);

  get systemTable(): ReturnType<typeof SystemTable.decode> {
    return SystemTable.decode(this.memory.readPhysical(this.entry.systemTable, SystemTable.size));
  }

  /** Calls a service by name through its table; the System Table is read anew each time. */
  call(name: string, ...args: (bigint | number)[]): bigint {
    const { BootServices: boot, RuntimeServices: runtime } = this.systemTable;
    const inRuntime = RuntimeServices.fields.some((field) => field.name === name);
    const offset = inRuntime ? RuntimeServices.offsetOf(name as never) : BootServices.offsetOf(name as never);
    return this.callPointer(this.u64((inRuntime ? runtime : boot) + BigInt(offset)), ...args);
  }

  /** Executes the gate at a guest-virtual function address. */
  callPointer(pointer: bigint, ...args: (bigint | number)[]): bigint {
    const code = this.memory.readVirtual(pointer, 7);
    if (code[0] !== 0x0f || code[1] !== 0x3f || code[2] !== 0x45 || code[3] !== 0x4b || code[6] !== 0xc3) {
      throw new Error(`no gate at 0x${pointer.toString(16)}`);
    }
    const stack = this.getRegister('rsp');
    this.put(stack, 0x1234n);
    args.forEach((arg, index) => {
      const register = (['rcx', 'rdx', 'r8', 'r9'] as const)[index];
      if (register) this.registers.set(register, BigInt(arg));
      else this.put(stack + 0x28n + BigInt(index - 4) * 8n, BigInt(arg));
    });
    this.firmware.serve((code[4] ?? 0) | ((code[5] ?? 0) << 8));
    return this.getRegister('rax');
  }

  u64(address: bigint): bigint {
    return this.firmware.guest.readU64(address);
  }

  put(address: bigint, value: bigint): bigint {
    this.firmware.guest.writeU64(address, value);
    return address;
  }

  bytes(address: bigint, bytes: Uint8Array): bigint {
    this.memory.writeVirtual(address, bytes);
    return address;
  }

  /** GetMemoryMap into scratch memory: entries and key. */
  memoryMap(): { type: number; start: number; pages: number; attribute: bigint }[] {
    this.put(scratch, 0x4000n);
    const status = this.call('GetMemoryMap', scratch, scratch + 0x1000n, scratch + 8n, scratch + 16n, scratch + 24n);
    if (status !== Status.SUCCESS) throw new Error(`GetMemoryMap: ${status.toString(16)}`);
    const size = Number(this.u64(scratch));
    const stride = Number(this.u64(scratch + 16n));
    const view = new DataView(this.memory.readVirtual(scratch + 0x1000n, size).buffer);
    return Array.from({ length: size / stride }, (_, i) => ({
      type: view.getUint32(i * stride, true),
      start: Number(view.getBigUint64(i * stride + 8, true)),
      pages: Number(view.getBigUint64(i * stride + 24, true)),
      attribute: view.getBigUint64(i * stride + 32, true),
    }));
  }

  /** Reads the map and leaves boot services. */
  exitBootServices(): bigint {
    this.memoryMap();
    return this.call('ExitBootServices', this.entry.imageHandle, this.u64(scratch + 8n));
  }
}
