import type { CallRecord, CallsRecord, HypercallEntry } from '../../probe/calls-result.js';

/** A call of a strip: of the firmware or of the hypervisor. */
export type StripCall = (CallRecord & { readonly kind: 'call' }) | (HypercallEntry & { readonly kind: 'hypercall' });

/** Both kinds in the order in which they came. */
export function callsInOrder({ calls = [], hypercalls = [] }: Partial<CallsRecord> = {}): readonly StripCall[] {
  return [
    ...calls.map((call) => ({ ...call, kind: 'call' as const })),
    ...hypercalls.map((call) => ({ ...call, kind: 'hypercall' as const })),
  ].sort((a, b) => a.tick - b.tick);
}

export const succeeded = ({ kind, status }: StripCall): boolean =>
  kind === 'call' ? status === 'EFI_SUCCESS' : !status.startsWith('-');
