/** What a call of a gate may do wrong by itself. UEFI 2.10 sections 2.3.4 and 7. */
import { Status } from '../../../firmware-tables/uefi/status.js';
import type { ServiceCall } from '../../firmware/index.js';
import type { MemoryBooks } from './memory-books.js';
import { hex, type MisuseKind } from './finding.js';
import { highestPriority } from './task-priorities.js';

const DIRECTION_FLAG = 0x400n;

/** The processor at the gate: RSP points at the return address. */
export interface AtGate {
  readonly rsp: bigint;
  readonly rflags: bigint;
  /** The task priority level. */
  readonly tpl: number;
  /** The key of the map. */
  readonly mapKey: number;
  /** An override may have answered instead of the service. */
  readonly isForced: boolean;
}

/** Every rule that the call breaks, each with a sentence. */
export function brokenRules(
  call: ServiceCall,
  { rsp, rflags, tpl, mapKey, isForced }: AtGate,
  books: MemoryBooks,
): { kind: MisuseKind; what: string }[] {
  const broken: { kind: MisuseKind; what: string }[] = [];
  const { name, args, status, unserved } = call;
  if ((rsp + 8n) % 16n !== 0n) {
    broken.push({
      kind: 'stack-alignment',
      what: `${name} was called with RSP ${hex(rsp + 8n)} in front of the CALL, which is no multiple of 16`,
    });
  }
  if ((rflags & DIRECTION_FLAG) !== 0n) {
    broken.push({ kind: 'direction-flag', what: `${name} was called with the direction flag set` });
  }
  if (unserved === 'after-exit-boot-services') {
    broken.push({ kind: 'call-after-exit-boot-services', what: `${name} was called after ExitBootServices` });
    return broken;
  }
  const highest = highestPriority.get(name);
  if (highest !== undefined && tpl > highest) {
    broken.push({
      kind: 'task-priority',
      what: `${name} was called at task priority level ${String(tpl)}, above ${String(highest)}`,
    });
  }
  if (isForced) return broken;
  const key = Number(args['MapKey']);
  if (name === 'ExitBootServices' && status === Status.INVALID_PARAMETER && key !== mapKey) {
    broken.push({
      kind: 'stale-map-key',
      what: `ExitBootServices was given map key ${String(key)}; the map has key ${String(mapKey)} since ${books.lastChange}`,
    });
  }
  const memory = Number(args['Memory'] ?? args['Buffer']);
  const poolRefused = name === 'FreePool' && status === Status.INVALID_PARAMETER && !books.isAllocated(memory);
  const pagesRefused = name === 'FreePages' && status === Status.NOT_FOUND;
  if (poolRefused || pagesRefused) broken.push({ kind: 'bad-free', what: badFree(name, memory, books) });
  return broken;
}

function badFree(name: string, address: number, books: MemoryBooks): string {
  const gone = books.freedAt(address);
  if (gone === undefined) {
    const what = name === 'FreePool' ? 'where nothing was allocated' : 'where not all was allocated';
    return `${name} was given ${Number.isNaN(address) ? 'NULL' : hex(address)}, ${what}`;
  }
  return `${name} was given ${hex(address)}, which ${gone.freedBy ?? 'somebody'} had freed`;
}
