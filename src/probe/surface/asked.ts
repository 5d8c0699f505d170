import type { ServiceCall } from '../../firmware/index.js';
import type { HypercallRecord } from '../../xen/hypercall.js';
import type { SurfaceCalls, SurfaceLookup, SurfaceVariable } from './result.js';

/** Services that look a protocol up. */
const lookingUp: ReadonlySet<string> = new Set([
  'HandleProtocol',
  'OpenProtocol',
  'LocateProtocol',
  'LocateHandle',
  'LocateHandleBuffer',
  'LocateDevicePath',
]);
const ofVariables: ReadonlySet<string> = new Set(['GetVariable', 'SetVariable']);

interface Asked {
  calls: number;
  found: number;
}

/** What a guest asks for by services and hypercalls, in the order in which it first does. */
export class AskedFor {
  private readonly served = new Map<string, number>();
  private readonly protocols = new Map<string, Asked & Pick<SurfaceLookup, 'guid' | 'service'>>();
  private readonly named = new Map<string, Asked & Pick<SurfaceVariable, 'name' | 'guid' | 'service'>>();
  private readonly hyper = new Map<string, { calls: number; argumentBytes: number }>();

  called({ name: service, args, status }: ServiceCall): void {
    this.served.set(service, (this.served.get(service) ?? 0) + 1);
    const found = status === 0n ? 1 : 0;
    const guid = args['Protocol'];
    if (lookingUp.has(service) && guid !== undefined)
      count(this.protocols, `${service} ${guid}`, { guid, service }, found);
    if (!ofVariables.has(service)) return;
    const name = (args['VariableName'] ?? '').replaceAll('"', '');
    const vendor = args['VendorGuid'] ?? '';
    count(this.named, `${service} ${vendor} ${name}`, { name, guid: vendor, service }, found);
  }

  hypercalled({ name, transferred }: HypercallRecord): void {
    const before = this.hyper.get(name) ?? { calls: 0, argumentBytes: 0 };
    this.hyper.set(name, { calls: before.calls + 1, argumentBytes: before.argumentBytes + transferred });
  }

  services(): SurfaceCalls[] {
    return [...this.served].map(([name, calls]) => ({ name, calls }));
  }

  lookups(): SurfaceLookup[] {
    return [...this.protocols.values()].map((lookup) => ({ ...lookup }));
  }

  variables(): SurfaceVariable[] {
    return [...this.named.values()].map((variable) => ({ ...variable }));
  }

  hypercalls(): SurfaceCalls[] {
    return [...this.hyper].map(([name, counts]) => ({ name, ...counts }));
  }
}

function count<Facts extends object>(into: Map<string, Asked & Facts>, key: string, facts: Facts, found: number): void {
  const { calls, found: before } = into.get(key) ?? { calls: 0, found: 0 };
  into.set(key, { ...facts, calls: calls + 1, found: before + found });
}
