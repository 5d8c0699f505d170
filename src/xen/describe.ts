import { Errno } from './errno.js';
import type { HypercallRecord } from './hypercall.js';

const number = (value: number | bigint): string =>
  value >= 0 && value < 10 ? String(value) : `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

const others: Readonly<Record<string, string>> = { '-75': 'EOVERFLOW', '-84': 'EILSEQ' };

/** `0`, `0x40011` or `-EINVAL`. */
export function describeResult(result: bigint): string {
  if (result >= 0n) return number(result);
  const [name] = Object.entries(Errno).find(([, value]) => BigInt(value) === result) ?? [others[String(result)]];
  return name === undefined ? String(result) : `-${name}`;
}

/** The registers but the one that selects the operation, then the fields of the structure, as texts. */
export function argumentTexts({ operation, registers, argument }: HypercallRecord): Readonly<Record<string, string>> {
  const given = operation === undefined ? registers : registers.slice(1);
  return Object.fromEntries(
    [...given, ...Object.entries(argument ?? {})].map(([name, value]) => [name, number(value)]),
  );
}

/** One readable line: `EVTCHNOP_send(arg=0xffffc9..., port=2) -> 0 [event_channel_op]`. */
export function describeHypercall(record: HypercallRecord): string {
  const pairs = (texts: Readonly<Record<string, string>>): string =>
    Object.entries(texts)
      .map(([name, text]) => `${name}=${text}`)
      .join(', ');
  const results = pairs(record.results);
  return (
    `${record.name}(${pairs(argumentTexts(record))}) -> ${describeResult(record.result)}` +
    (results === '' ? '' : ` {${results}}`) +
    (record.unknown ? ', not known to Xen' : '') +
    ` [hypercall ${String(record.number)}]`
  );
}
