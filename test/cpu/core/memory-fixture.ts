/** Gives tests a fresh core (as the build made it) with a recording host and hand-built page tables. */
import { loadProcessorArtifacts } from '../../../src/host/processor-artifacts.js';
import * as s from '../../../src/cpu/state-layout.js';

let compiled: WebAssembly.Module | undefined;

const compile = (): WebAssembly.Module => (compiled ??= new WebAssembly.Module(loadProcessorArtifacts().core));

/** WebAssembly.Module.imports, which Node's types leave out. */
function importsOf(module: WebAssembly.Module): { module: string; name: string; kind: string }[] {
  const statics = WebAssembly.Module as unknown as { imports: typeof importsOf };
  return statics.imports(module);
}

export const ramBytes = 0x80_0000;
export const P = 1n;
export const W = 2n;
export const U = 4n;
export const A = 0x20n;
export const D = 0x40n;
export const PS = 0x80n;
export const G = 0x100n;
export const NX = 1n << 63n;
export const CR0_WP = 0x1_0000n;
export const EFER_NXE = 0x800n;

export type Export = (...args: (number | bigint)[]) => number | bigint | undefined;

export class TestCore {
  readonly memory = new WebAssembly.Memory({ initial: (s.RAM + ramBytes) / 0x1_0000, maximum: 0x1_0000 });
  readonly view = new DataView(this.memory.buffer);
  readonly bytes = new Uint8Array(this.memory.buffer);
  /** Every call of the host, in order: name and arguments. */
  readonly calls: [string, ...number[]][] = [];
  readMmio: (physical: number, bytes: number) => number = () => 0;
  private nextTable = 0x10_0000;
  private readonly exports: Record<string, Export>;

  /** `more`: host functions beyond those of memory. */
  constructor(more: Readonly<Record<string, Export>> = {}) {
    const host: Record<string, Export> = {};
    const module = compile();
    for (const { module: from, name, kind } of importsOf(module)) {
      if (from !== 'host' || kind !== 'function') continue;
      host[name] = () => {
        throw new Error(`the core called host.${name}, which this test does not provide`);
      };
    }
    host['readMmio'] = (physical, bytes) => {
      this.calls.push(['readMmio', Number(physical) >>> 0, Number(bytes)]);
      return this.readMmio(Number(physical) >>> 0, Number(bytes));
    };
    host['writeMmio'] = (physical, bytes, value) => {
      this.calls.push(['writeMmio', Number(physical) >>> 0, Number(bytes), Number(value) >>> 0]);
      return undefined;
    };
    host['codeWritten'] = (physical, bytes) => {
      this.calls.push(['codeWritten', Number(physical) >>> 0, Number(bytes)]);
      return undefined;
    };
    Object.assign(host, more);
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory }, host });
    this.exports = instance.exports as Record<string, Export>;
    this.set32(s.RAM_BYTES, ramBytes);
    this.set32(s.RAM_LOW, ramBytes);
    this.set32(s.TLB_MASK, 1023);
    this.set64(s.FLAGS_SYSTEM, 2n);
    this.set64(s.CR4, 0x20n | 0x80n | 0x10n);
    this.set64(s.EFER, EFER_NXE);
    this.set64(s.CR0, CR0_WP);
    this.mode('long');
    this.setUser(false);
    this.call('flushAll');
  }

  call(name: string, ...args: (number | bigint)[]): number | bigint | undefined {
    const found = this.exports[name];
    if (!found) throw new Error(`the core exports no ${name}`);
    return found(...args);
  }
  /** A call with a u64 result. */
  call64(name: string, ...args: (number | bigint)[]): bigint {
    return BigInt.asUintN(64, this.call(name, ...args) as bigint);
  }
  /** A call with a u32 result. */
  call32(name: string, ...args: (number | bigint)[]): number {
    return (this.call(name, ...args) as number) >>> 0;
  }

  mode(name: 'long' | 'compatibility' | 'legacy' | 'unpaged'): void {
    const bits = {
      long: s.MODE_LONG | s.MODE_LMA | s.MODE_PAGING,
      compatibility: s.MODE_LMA | s.MODE_PAGING | s.MODE_CODE32,
      legacy: s.MODE_PAGING | s.MODE_CODE32,
      unpaged: s.MODE_CODE32,
    };
    this.set32(s.MODE, bits[name]);
  }
  setUser(user: boolean): void {
    this.set32(s.CPL, user ? 3 : 0);
    this.set32(s.TLB_DATA, user ? s.TLB_USER : s.TLB_SUPERVISOR);
    this.set32(s.TLB_FETCH, user ? s.TLB_FETCH_USER : s.TLB_FETCH_SUPERVISOR);
  }

  set32(address: number, value: number): void {
    this.view.setUint32(address, value, true);
  }
  get32(address: number): number {
    return this.view.getUint32(address, true);
  }
  set64(address: number, value: bigint): void {
    this.view.setBigUint64(address, BigInt.asUintN(64, value), true);
  }
  get64(address: number): bigint {
    return this.view.getBigUint64(address, true);
  }
  /** Guest-physical access that the core does not see. */
  setRam(physical: number, value: bigint): void {
    this.set64(s.RAM + physical, value);
  }
  getRam(physical: number): bigint {
    return this.get64(s.RAM + physical);
  }

  allocateTable(): number {
    const at = this.nextTable;
    this.nextTable += 0x1000;
    return at;
  }
  /** 4-level entry addresses from the PML4E down to the level that maps 2^`shift` bytes; absent tables are made. */
  entries(linear: bigint, shift = 12): number[] {
    if (!this.get64(s.CR3)) this.set64(s.CR3, BigInt(this.allocateTable()));
    let table = Number(this.get64(s.CR3));
    const found: number[] = [];
    for (let level = 39; ; level -= 9) {
      const at = table + Number((linear >> BigInt(level)) & 511n) * 8;
      found.push(at);
      if (level === shift) return found;
      if (!this.getRam(at)) this.setRam(at, BigInt(this.allocateTable()) | P | W | U);
      table = Number(this.getRam(at) & 0xf_ffff_f000n);
    }
  }
  /** Maps one page of 2^`shift` bytes; answers the guest-physical address of its entry. */
  map(linear: bigint, physical: number | bigint, bits: bigint, shift = 12): number {
    const at = this.entries(linear, shift).at(-1) ?? 0;
    this.setRam(at, BigInt(physical) | bits | (shift > 12 ? PS : 0n));
    return at;
  }

  /** The raised exception, which is then forgotten; undefined when there is none. */
  takeFault(): { vector: number; error: number | undefined; address?: bigint } | undefined {
    if (!this.get32(s.FAULT_PENDING)) return undefined;
    this.set32(s.FAULT_PENDING, 0);
    const vector = this.get32(s.FAULT_VECTOR);
    const error = this.get32(s.FAULT_HAS_ERROR) ? this.get32(s.FAULT_ERROR) : undefined;
    return vector === 14 ? { vector, error, address: this.get64(s.FAULT_ADDRESS) } : { vector, error };
  }
}
