/**
 * Flags that are not computed yet, as three values and a number that says what they are: hot code keeps them so in
 * locals, and storeFlags of the cold module makes FLAGS_RESULT and FLAGS_AUX of them when it leaves.
 */
import type { FlagsForm } from './flags.js';
import { op, type Node } from './nodes.js';

const kinds = ['raw', 'sub', 'add', 'logic', 'subCarry', 'addCarry'] as const;
type Kind = (typeof kinds)[number];
const sizes = [8, 16, 32, 64] as const;

/** FLAGS_RESULT and FLAGS_AUX themselves, in `result` and `a`. */
export const RAW = 0;
export const FLAG_KINDS = kinds.length * sizes.length;

/** The three values; which of them a kind uses is formOfKind's affair. */
export interface FlagValues {
  readonly a: Node;
  readonly b: Node;
  readonly result: Node;
}

const nameOf = (form: FlagsForm): Kind =>
  (form.kind === 'add' || form.kind === 'sub') && form.withCarry === true ? `${form.kind}Carry` : form.kind;

/** Number of a form's kind and width, below FLAG_KINDS. */
export function kindOf(form: FlagsForm): number {
  const size = form.kind === 'raw' ? 0 : sizes.indexOf(form.bits as (typeof sizes)[number]);
  return kinds.indexOf(nameOf(form)) * sizes.length + size;
}

/** What has to be kept of a form, so that formOfKind finds it again. */
export function keptValues(form: FlagsForm): Partial<FlagValues> {
  switch (nameOf(form)) {
    case 'raw':
      return { a: (form as Extract<FlagsForm, { kind: 'raw' }>).aux, result: form.result };
    case 'logic':
      return { result: form.result };
    case 'add':
      return { a: (form as { a: Node }).a, result: form.result };
    case 'sub':
      return { a: (form as { a: Node }).a, b: (form as { b: Node }).b };
    default:
      return { a: (form as { a: Node }).a, b: (form as { b: Node }).b, result: form.result };
  }
}

/** The form of a kind over the kept values. */
export function formOfKind(kind: number, { a, b, result }: FlagValues): FlagsForm {
  const name = kinds[Math.floor(kind / sizes.length)] ?? 'raw';
  const bits = sizes[kind % sizes.length] ?? 64;
  switch (name) {
    case 'raw':
      return { kind: 'raw', result, aux: a };
    case 'logic':
      return { kind: 'logic', result, bits };
    case 'add':
      return { kind: 'add', a, b: op.sub(result, a), result, bits };
    case 'sub':
      return { kind: 'sub', a, b, result: op.sub(a, b), bits };
    case 'addCarry':
      return { kind: 'add', a, b, result, bits, withCarry: true };
    case 'subCarry':
      return { kind: 'sub', a, b, result, bits, withCarry: true };
  }
}
