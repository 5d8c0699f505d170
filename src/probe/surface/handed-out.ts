import { MemoryDescriptor, pageBytes } from '../../../firmware-tables/uefi/memory-descriptor.js';
import type { ServiceCall } from '../../firmware/index.js';
import { structureOf, type ProvidedStructure } from '../../memory/provided.js';

/** What follows from a call for what is watched. Addresses are guest-physical. */
export interface HandOutTarget {
  /** Where a guest-virtual range lies; undefined where it is not mapped, or not in one piece. */
  physicalOf(address: bigint, bytes: number): number | undefined;
  add(structure: ProvidedStructure): void;
  end(address: number, bytes: number, why: string): void;
}

/** `0x1f3a2018` for `0x1f3a2018 (=...)`; undefined for NULL and what could not be read. */
function addressIn(text: string | undefined): bigint | undefined {
  const digits = /^0x[0-9a-f]+/.exec(text ?? '')?.[0];
  return digits === undefined ? undefined : BigInt(digits);
}

/** A number as the log writes it: in decimal below 10. */
const numberIn = (text: string | undefined): number => Number(/^(?:0x[0-9a-f]+|\d+)/.exec(text ?? '')?.[0] ?? 0);

/**
 * What the firmware gives to the guest in buffers of the guest's own: memory maps, descriptor by descriptor, and variables.
 * A map is watched until the buffer is freed or the guest stores there; a variable, whose buffer is mostly a place on a
 * stack, until the next phase or a few variables later as well. UEFI 2.10 sections 7.2.3 and 8.2.
 */
export class HandedOut {
  private maps = 0;
  private readonly blocks = new Map<bigint, number>();
  private variables: ProvidedStructure[] = [];

  constructor(private readonly target: HandOutTarget) {}

  /** A call was served, and the guest has not gone on. */
  called(call: ServiceCall): void {
    if (call.status !== 0n) return;
    switch (call.name) {
      case 'AllocatePool': {
        const address = addressIn(call.results['Buffer']);
        if (address !== undefined) this.blocks.set(address, numberIn(call.args['Size']));
        return;
      }
      case 'FreePool': {
        const address = addressIn(call.args['Buffer']);
        if (address === undefined) return;
        this.target.end(Number(address), this.blocks.get(address) ?? 0, 'freed');
        this.blocks.delete(address);
        return;
      }
      case 'FreePages':
        this.target.end(numberIn(call.args['Memory']), numberIn(call.args['Pages']) * pageBytes, 'freed');
        return;
      case 'GetMemoryMap':
        this.memoryMap(call);
        return;
      case 'GetVariable':
        this.variable(`variable ${unquoted(call.args['VariableName'])}`, call.args['Data'], call.results['DataSize']);
        return;
      case 'GetNextVariableName':
        this.variable('name of a variable', call.args['VariableName'], call.results['VariableNameSize']);
        return;
    }
  }

  private memoryMap({ args, results }: ServiceCall): void {
    const stride = numberIn(results['DescriptorSize']);
    const bytes = numberIn(results['MemoryMapSize']);
    const address = addressIn(args['MemoryMap']);
    if (address === undefined || stride < MemoryDescriptor.size) return;
    const physical = this.target.physicalOf(address, bytes);
    if (physical === undefined) return;
    const behind = { name: 'reserved', bytes: stride - MemoryDescriptor.size };
    const parts = Array.from({ length: bytes / stride }, (_, i) => [
      { name: `[${String(i)}]`, of: MemoryDescriptor },
      behind,
    ]);
    this.maps++;
    this.target.add(structureOf('firmware', `memory map ${String(this.maps)}`, physical, parts.flat()));
  }

  private variable(name: string, data: string | undefined, size: string | undefined): void {
    const bytes = numberIn(size);
    const address = addressIn(data);
    const physical = address === undefined || bytes === 0 ? undefined : this.target.physicalOf(address, bytes);
    if (physical === undefined) return;
    const structure = structureOf('firmware', name, physical, [{ name: 'data', bytes }]);
    if (this.variables.length >= mostVariables) this.forget(this.variables.shift(), 'other variables followed');
    this.variables.push(structure);
    this.target.add(structure);
  }

  /** A phase begins. */
  phase(): void {
    for (const structure of this.variables.splice(0)) this.forget(structure, 'the next phase began');
  }

  private forget(structure: ProvidedStructure | undefined, why: string): void {
    if (structure !== undefined) this.target.end(structure.address, structure.bytes, why);
  }
}

/** So many variables' buffers are watched at a time. */
const mostVariables = 4;

const unquoted = (text: string | undefined): string => (text ?? '').replaceAll('"', '');

/** Of a memory map: which descriptor a field belongs to; undefined for other structures. */
export const descriptorOf = (structure: string, field: string): string | undefined =>
  structure.startsWith('memory map') ? /^(?:descriptor)?\[\d+\]/.exec(field)?.[0] : undefined;
