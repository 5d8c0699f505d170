/** What the core and the handlers call of JavaScript: the bus in the terms of WebAssembly, and touches for who wants them. */
import * as L from './state-layout.js';
import type { Touch } from './touch.js';
import type { ProcessorBus } from './types.js';

export interface HostFunctionParts {
  readonly bus: ProcessorBus;
  readonly view: DataView;
  /** Bytes of RAM that hold translated code have changed. By place. */
  readonly codeWritten: (place: number, bytes: number) => void;
  /** Watched bytes of RAM are about to be accessed. By place. */
  readonly watched: (place: number, bytes: number, write: boolean, implicit: boolean) => void;
  readonly unimplemented: (what: string) => void;
  /** Linear address of the instruction that runs. */
  readonly instruction: () => bigint;
  readonly onTouch?: ((touch: Touch) => void) | undefined;
}

type Width = 1 | 2 | 4;
type HostFunctions = Record<string, (...values: number[]) => unknown>;

const width = (bytes: number): Width => (bytes === 1 ? 1 : bytes === 2 ? 2 : 4);
const cut = (value: number, bytes: number): bigint => BigInt.asUintN(8 * bytes, BigInt(value));

/** The functions of the module `host`. Whether touches are told is settled here: who does not ask pays nothing. */
export function hostFunctions(parts: HostFunctionParts): HostFunctions {
  const { bus, view, onTouch } = parts;
  const devices = onTouch === undefined ? bus : tellingBus(parts, onTouch);
  view.setUint32(L.TELL_MSRS, onTouch === undefined ? 0 : 1, true);
  return {
    readMmio: (physical, bytes) => devices.readMmio(physical >>> 0, width(bytes)),
    writeMmio: (physical, bytes, value) => {
      devices.writeMmio(physical >>> 0, width(bytes), value >>> 0);
    },
    readPort: (port, bytes) => devices.readPort(port, width(bytes)),
    writePort: (port, bytes, value) => {
      devices.writePort(port, width(bytes), value >>> 0);
    },
    codeWritten: (place, bytes) => {
      parts.codeWritten(place >>> 0, bytes);
    },
    watched: (place, bytes, kind) => {
      parts.watched(place >>> 0, bytes, (kind & L.WATCHED_WRITE) !== 0, (kind & L.WATCHED_IMPLICIT) !== 0);
    },
    readMsr: (index) => {
      const value = bus.readMsr(index >>> 0);
      if (value === undefined) return 0;
      view.setBigUint64(L.SCRATCH, BigInt.asUintN(64, value), true);
      return 1;
    },
    writeMsr: (index, low, high) =>
      bus.writeMsr(index >>> 0, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)) ? 1 : 0,
    msrDone: (index, write, fault, low, high) => {
      const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      onTouch?.({
        kind: write === 0 ? 'rdmsr' : 'wrmsr',
        address: index >>> 0,
        ...(write === 0 && fault !== 0 ? {} : { value }),
        ...(fault === 0 ? {} : { fault: true }),
        instruction: parts.instruction(),
      });
    },
    cpuid: (leaf, subleaf) => {
      devices.cpuid(leaf >>> 0, subleaf >>> 0).forEach((value, i) => {
        view.setUint32(L.SCRATCH + 4 * i, value, true);
      });
    },
    random: () => {
      view.setBigUint64(L.SCRATCH, bus.random(), true);
    },
    readTaskPriority: () => bus.readTaskPriority(),
    writeTaskPriority: (value) => {
      bus.writeTaskPriority(value);
    },
    unimplemented: (what, detail) => {
      parts.unimplemented(`core feature ${String(what)} (0x${(detail >>> 0).toString(16)})`);
    },
  };
}

/** The bus as guest instructions use it, each use told when it is done. */
function tellingBus(
  { bus, instruction }: HostFunctionParts,
  tell: (touch: Touch) => void,
): Pick<ProcessorBus, 'readMmio' | 'writeMmio' | 'readPort' | 'writePort' | 'cpuid'> {
  return {
    readMmio: (address, bytes) => {
      const value = bus.readMmio(address, bytes);
      tell({ kind: 'mmio-read', address, bytes, value: cut(value, bytes), instruction: instruction() });
      return value;
    },
    writeMmio: (address, bytes, value) => {
      bus.writeMmio(address, bytes, value);
      tell({ kind: 'mmio-write', address, bytes, value: cut(value, bytes), instruction: instruction() });
    },
    readPort: (port, bytes) => {
      const value = bus.readPort(port, bytes);
      tell({ kind: 'in', address: port, bytes, value: cut(value, bytes), instruction: instruction() });
      return value;
    },
    writePort: (port, bytes, value) => {
      bus.writePort(port, bytes, value);
      tell({ kind: 'out', address: port, bytes, value: cut(value, bytes), instruction: instruction() });
    },
    cpuid: (leaf, subleaf) => {
      const registers = bus.cpuid(leaf, subleaf);
      tell({ kind: 'cpuid', address: leaf, subleaf, registers, instruction: instruction() });
      return registers;
    },
  };
}
