import { ConsoleInterface } from '../../firmware-tables/xen/console-ring.js';
import { SharedInfo, SharedInfo32 } from '../../firmware-tables/xen/shared-info.js';
import { VcpuInfo, VcpuInfo32 } from '../../firmware-tables/xen/vcpu-info.js';
import { XenStoreInterface } from '../../firmware-tables/xen/xenstore-ring.js';
import { structureOf, type Part, type ProvidedMemory } from '../memory/provided.js';
import { frameBytes } from './domain-frames.js';
import type { EventChannels } from './event-channels/index.js';
import type { Physmap } from './physmap.js';

/** Says what of Xen's lies in the guest's memory, from when on: rings, shared_info, grant frames, vcpu_info. */
export class ProvidedPages {
  constructor(
    private readonly provided: ProvidedMemory,
    private readonly events: EventChannels,
    physmap: Physmap,
    rings: { readonly console: number; readonly xenstore: number },
  ) {
    this.add('xencons_interface', rings.console * frameBytes, [ConsoleInterface]);
    this.add('xenstore_domain_interface', rings.xenstore * frameBytes, [XenStoreInterface]);
    physmap.onMapped = (what, address) => {
      if (what === 'grant table') this.add(what, address, [{ name: 'entries', bytes: frameBytes }]);
      else this.add(what, address, [this.wide ? SharedInfo : SharedInfo32], { vcpu_info: 1 });
    };
    physmap.onLeaving = (address) => {
      provided.end(address, 'moved or taken out of the guest-physical map');
    };
  }

  /** VCPUOP_register_vcpu_info has moved the virtual processor's vcpu_info. */
  vcpuInfoMoved(): void {
    const address = this.events.vcpuInfoAddress;
    if (address !== undefined) this.add('vcpu_info', address, [this.wide ? VcpuInfo : VcpuInfo32]);
  }

  private get wide(): boolean {
    return this.events.wordBits === 64;
  }

  private add(name: string, address: number, parts: readonly Part[], used?: Readonly<Record<string, number>>): void {
    this.provided.add(structureOf('xen', name, address, parts, used && { used }));
  }
}
