import { fifoLinkBits } from '../../../firmware-tables/xen/event-fifo.js';
import type { DomainMemory } from '../domain-memory.js';
import { Errno } from '../errno.js';
import type { EventAbi, EventDelivery } from './abi.js';
import { Backends } from './backends.js';
import { controlDomain, domidSelf } from './domains.js';
import { EventChannelError } from './event-channel-error.js';
import { checkControlOffset, FifoAbi } from './fifo.js';
import { Frame, frameBytes } from './frame.js';
import type { EventChannelOptions } from './options.js';
import { usable, type Binding, type Port } from './port.js';
import { PortTable } from './port-table.js';
import { SharedPage } from './shared-page.js';
import type { EventChannelsState } from './state.js';
import { statusOf, type PortStatus } from './status.js';
import { TwoLevelAbi } from './two-level.js';
import { virqCount, virqIsGlobal } from './virq.js';

/** Ports of domain 0 that are valid, whatever they are: the guest learns no more of them. */
const controlDomainPorts = 64;

/**
 * The event channels of an HVM domain with one vCPU, as Xen 4.17 answers EVTCHNOP_*: common/event_channel.c, with the
 * default (dummy) access policy. An operation returns an errno (below 0), or 0, or the port that it made. Arguments are
 * unsigned, as the guest gave them: any number is answered, none throws. A domain is named by its number or by DOMID_SELF.
 */
export class EventChannels implements EventDelivery {
  /** A port became pending: SCHEDOP_poll may wait for it, or for any. */
  onPending: ((port: number) => void) | undefined;

  readonly #page: SharedPage;
  readonly #twoLevel: TwoLevelAbi;
  readonly #ports: PortTable;
  readonly #backends = new Backends();
  /** virq_to_evtchn of vCPU 0; 0: not bound. */
  readonly #virqs: number[] = new Array<number>(virqCount).fill(0);
  readonly #domain: number;
  readonly #pirqs: number;
  #fifo: FifoAbi | undefined;

  /** `upcall`: evtchn_upcall_pending of vCPU 0 has become 1, so the callback is to be delivered. */
  constructor(
    private readonly memory: DomainMemory,
    private readonly upcall: () => void,
    options: EventChannelOptions = {},
  ) {
    this.#page = new SharedPage(memory, () => {
      this.markEventsPending();
    });
    this.#twoLevel = new TwoLevelAbi(this.#page, this);
    this.#ports = new PortTable(options.maxPort ?? 1023);
    this.#domain = options.domain ?? 1;
    this.#pirqs = options.pirqs ?? 56;
  }

  get #abi(): EventAbi {
    return this.#fifo ?? this.#twoLevel;
  }

  // Where the guest sees it

  /** BITS_PER_EVTCHN_WORD: the layout of shared_info and vcpu_info, latched from the mode the guest is in. 64 at first. */
  get wordBits(): 32 | 64 {
    return this.#page.wordBits;
  }

  set wordBits(bits: 32 | 64) {
    this.#page.wordBits = bits;
  }

  /**
   * Guest-physical address of shared_info, after it has appeared there; undefined before it disappears. Until it has an
   * address, a private copy stands for it. Whoever backs the frame keeps its bytes when it moves from address to address.
   */
  setSharedInfo(address: number | undefined): void {
    this.#page.setSharedInfo(address);
  }

  /** vCPU 0's vcpu_info goes to a guest-physical address: as mapVcpuInfo, without its checks. */
  setVcpuInfo(address: number): void {
    this.#page.setVcpuInfo(address);
  }

  /**
   * VCPUOP_register_vcpu_info for vCPU 0: map_vcpu_info() of Xen's common/domain.c. The contents are copied, every word is
   * marked pending and the upcall made.
   */
  mapVcpuInfo(gfn: number, offset: number): number {
    return this.#page.mapVcpuInfo(gfn, offset);
  }

  /** Guest-physical address of vCPU 0's vcpu_info; undefined while the guest has no access to it. */
  get vcpuInfoAddress(): number | undefined {
    return this.#page.vcpuInfoAddress;
  }

  /** evtchn_upcall_pending of vCPU 0. */
  get upcallPending(): boolean {
    return this.#page.upcallPending;
  }

  /**
   * Call before the guest-physical map loses the frame at `gfn`, or gets another there. Xen's hold on frames that the
   * guest handed over goes on: what is written to them later must not appear in what comes instead.
   */
  frameLeaves(gfn: number): void {
    const leaving = this.#frames().filter((frame) => frame.address === gfn * frameBytes);
    const bytes = leaving[0]?.read(0, frameBytes);
    for (const frame of leaving) frame.detach(bytes);
  }

  /** Call after a frame of the guest's has moved in the map, bytes and all (XENMAPSPACE_gmfn): Xen's hold moves with it. */
  frameMoves(from: number, to: number): void {
    for (const frame of this.#frames()) if (frame.address === from * frameBytes) frame.attach(to * frameBytes);
  }

  /** Frames that the map may lose. */
  #frames(): readonly Frame[] {
    return [...this.#page.frames(), ...(this.#fifo?.frames() ?? [])];
  }

  // EVTCHNOP_*

  /** EVTCHNOP_alloc_unbound. */
  allocUnbound(domain: number, remote: number): number {
    const self = this.#isSelf(domain);
    if (!self) return domain === controlDomain ? Errno.EPERM : Errno.ESRCH;
    const owner = remote === domidSelf ? this.#domain : remote;
    return this.#bind(() => ({ kind: 'unbound', domain: owner }));
  }

  /** EVTCHNOP_bind_interdomain: with a waiting port of domain 0, or of the domain itself. */
  bindInterdomain(remoteDomain: number, remotePort: number): number {
    const self = this.#isSelf(remoteDomain);
    if (!self && remoteDomain !== controlDomain) return Errno.ESRCH;
    const local = this.#ports.allocateAny(this.#abi);
    if (typeof local === 'number') return local;
    if (self) {
      const remote = this.#ports.at(remotePort);
      if (remote?.binding.kind !== 'unbound' || remote.binding.domain !== this.#domain) return Errno.EINVAL;
      remote.binding = { kind: 'interdomain', domain: this.#domain, port: local.number };
    } else {
      const backend = this.#backends.at(remotePort);
      if (!backend || backend.local !== 0) return Errno.EINVAL;
      backend.local = local.number;
    }
    local.binding = { kind: 'interdomain', domain: self ? this.#domain : controlDomain, port: remotePort };
    this.#abi.initialise(local);
    this.#setPending(local); // events to the port while it waited were lost
    return local.number;
  }

  /** EVTCHNOP_bind_virq. */
  bindVirq(virq: number, vcpu: number): number {
    if (virq >= virqCount || (virqIsGlobal(virq) && vcpu !== 0)) return Errno.EINVAL;
    if (vcpu !== 0) return Errno.ENOENT;
    if (this.#virqs[virq] !== 0) return Errno.EEXIST;
    const result = this.#bind(() => ({ kind: 'virq', virq }));
    if (result > 0) this.#virqs[virq] = result;
    return result;
  }

  /** EVTCHNOP_bind_ipi. */
  bindIpi(vcpu: number): number {
    if (vcpu !== 0) return Errno.ENOENT;
    return this.#bind(() => ({ kind: 'ipi' }));
  }

  /** EVTCHNOP_bind_pirq: an HVM domain may bind any of its physical interrupts, none of which ever comes. */
  bindPirq(pirq: number): number {
    if (pirq >= this.#pirqs) return Errno.EINVAL;
    if (this.#ports.all().some(({ binding }) => binding.kind === 'pirq' && binding.pirq === pirq)) return Errno.EEXIST;
    return this.#bind(() => ({ kind: 'pirq', pirq }));
  }

  #bind(binding: () => Binding): number {
    const port = this.#ports.allocateAny(this.#abi);
    if (typeof port === 'number') return port;
    port.binding = binding();
    this.#abi.initialise(port);
    return port.number;
  }

  /** EVTCHNOP_bind_vcpu. */
  bindVcpu(port: number, vcpu: number): number {
    if (vcpu !== 0) return Errno.ENOENT;
    const channel = this.#ports.at(port);
    if (!channel) return Errno.EINVAL;
    const { binding } = channel;
    const movable =
      binding.kind === 'unbound' ||
      binding.kind === 'interdomain' ||
      binding.kind === 'pirq' ||
      (binding.kind === 'virq' && virqIsGlobal(binding.virq));
    if (!movable) return Errno.EINVAL;
    channel.vcpu = vcpu;
    return 0;
  }

  /** EVTCHNOP_close. */
  close(port: number): number {
    const channel = this.#ports.at(port);
    if (!channel || !usable(channel)) return Errno.EINVAL;
    const { binding } = channel;
    if (binding.kind === 'virq') this.#virqs[binding.virq] = 0;
    this.#abi.clearPending(channel);
    channel.binding = { kind: 'free' };
    channel.vcpu = 0;
    if (binding.kind === 'interdomain') this.#releaseOtherEnd(binding);
    return 0;
  }

  /** The other end of a closed channel waits for the domain to bind again. */
  #releaseOtherEnd({ domain, port }: { readonly domain: number; readonly port: number }): void {
    if (domain === this.#domain) {
      const other = this.#ports.at(port);
      if (other) other.binding = { kind: 'unbound', domain: this.#domain };
    } else {
      const backend = this.#backends.at(port);
      if (backend) backend.local = 0;
    }
  }

  /** EVTCHNOP_send. */
  send(port: number): number {
    const binding = this.#ports.at(port)?.binding;
    switch (binding?.kind) {
      case 'interdomain': {
        const other = binding.domain === this.#domain ? this.#ports.at(binding.port) : undefined;
        if (other) this.#setPending(other);
        else this.#backends.at(binding.port)?.onSend();
        return 0;
      }
      case 'ipi':
        this.#setPending(this.#ports.at(port)!);
        return 0;
      case 'unbound':
        return 0; // nobody to tell
      default:
        return Errno.EINVAL;
    }
  }

  /** EVTCHNOP_unmask. */
  unmask(port: number): number {
    const channel = this.#ports.at(port);
    if (!channel) return Errno.EINVAL;
    if (usable(channel)) this.#abi.unmask(channel);
    return 0;
  }

  /** EVTCHNOP_status. */
  status(port: number, domain: number = domidSelf): PortStatus | number {
    if (!this.#isSelf(domain)) {
      if (domain !== controlDomain) return Errno.ESRCH;
      return port < controlDomainPorts ? Errno.EPERM : Errno.EINVAL;
    }
    const channel = this.#ports.at(port);
    return channel ? statusOf(channel) : Errno.EINVAL;
  }

  /** EVTCHNOP_reset: every port is closed, the 2-level ABI is back. */
  reset(domain: number = domidSelf): number {
    if (!this.#isSelf(domain)) return domain === controlDomain ? Errno.EPERM : Errno.ESRCH;
    for (const { number } of this.#ports.all()) this.close(number);
    this.#fifo = undefined;
    return 0;
  }

  /** EVTCHNOP_reset_cont (14), Xen's own continuation of a long reset, which a guest can name but never finds under way. */
  continueReset(domain: number = domidSelf): number {
    if (!this.#isSelf(domain)) return domain === controlDomain ? Errno.EPERM : Errno.ESRCH;
    return Errno.EBUSY;
  }

  /** EVTCHNOP_init_control: the FIFO ABI from now on. Returns the number of link bits, or an errno. */
  initControl(gfn: number, offset: number, vcpu: number): number {
    if (vcpu !== 0) return Errno.ENOENT;
    const wrong = checkControlOffset(offset);
    if (wrong !== 0) return wrong;
    if (this.#fifo) return Errno.EINVAL; // the only vCPU has its control block
    const frame = Frame.at(this.memory, gfn);
    if (!frame) return Errno.EINVAL;
    const fifo = new FifoAbi(this.memory, this, { frame, offset });
    for (const port of this.#ports.all().slice(1, this.#twoLevel.maxPorts)) {
      // What is pending already waits for the page of its event word.
      if (this.#twoLevel.isPending(port)) port.pending = true;
      fifo.initialise(port);
    }
    this.#fifo = fifo;
    return fifoLinkBits;
  }

  /** EVTCHNOP_expand_array: one more page of event words. Events that waited for it are raised. */
  expandArray(gfn: number): number {
    const fifo = this.#fifo;
    if (!fifo) return Errno.EOPNOTSUPP;
    const first = fifo.words;
    const result = fifo.addPage(gfn);
    if (result !== 0) return result;
    for (const port of this.#ports.all().slice(first, fifo.words)) if (port.pending) fifo.setPending(port);
    return 0;
  }

  /** EVTCHNOP_set_priority. */
  setPriority(port: number, priority: number): number {
    const channel = this.#ports.at(port);
    if (!channel) return Errno.EINVAL;
    if (this.#fifo && !usable(channel)) return Errno.EACCES;
    return this.#abi.setPriority(channel, priority);
  }

  // Xen and the toolstack

  /**
   * evtchn_port_poll(), for SCHEDOP_poll: 1 when the port is pending, 0 when not, or an errno.
   */
  poll(port: number): number {
    const channel = this.#ports.at(port);
    if (!channel || !usable(channel)) return Errno.EINVAL;
    return this.#abi.isPending(channel) ? 1 : 0;
  }

  /**
   * The toolstack makes `port` and binds a backend in domain 0 to it, at `remotePort` there; done again for the same
   * port, the backend is replaced. Throws EventChannelError when the port is in use.
   */
  connect(port: number, onSend: () => void, remotePort: number = port): void {
    const known = this.#backends.named(port);
    if (known) {
      known.onSend = onSend;
      return;
    }
    const channel = this.#ports.allocate(port, this.#abi);
    if (typeof channel === 'number' || this.#backends.at(remotePort)) {
      throw new EventChannelError(
        `event channel port ${port} (domain 0's ${remotePort}) is taken or out of range: connect backends before the guest runs, each to ports of its own`,
      );
    }
    channel.binding = { kind: 'interdomain', domain: controlDomain, port: remotePort };
    this.#abi.initialise(channel);
    this.#backends.add({ port, remotePort, local: port, onSend });
  }

  /** The backend that was connected to `port` signals the guest; lost while the guest has closed its end. */
  notify(port: number): void {
    const local = this.#backends.named(port)?.local ?? 0;
    const channel = local === 0 ? undefined : this.#ports.at(local);
    if (channel) this.#setPending(channel);
  }

  /** Xen raises a VIRQ; lost while it is not bound. */
  raiseVirq(virq: number): void {
    const port = this.#virqs[virq] ?? 0;
    const channel = port === 0 ? undefined : this.#ports.at(port);
    if (channel) this.#setPending(channel);
  }

  /** Whether the guest has bound a VIRQ. */
  virqBound(virq: number): boolean {
    return (this.#virqs[virq] ?? 0) !== 0;
  }

  #setPending(port: Port): void {
    if (usable(port)) this.#abi.setPending(port);
  }

  markEventsPending(): void {
    if (!this.#page.setUpcallPending()) this.upcall();
  }

  wakePollers(port: number): void {
    this.onPending?.(port);
  }

  #isSelf(domain: number): boolean {
    return domain === domidSelf || domain === this.#domain;
  }

  save(): EventChannelsState {
    return {
      page: this.#page.save(),
      fifo: this.#fifo?.save() ?? null,
      ports: this.#ports.save(),
      virqs: [...this.#virqs],
      backends: this.#backends.save(),
    };
  }

  /** Memory is restored by its owner; nothing is written to it and no upcall is made. */
  restore(state: EventChannelsState): void {
    this.#page.restore(state.page);
    this.#fifo = state.fifo ? FifoAbi.restored(this.memory, this, state.fifo) : undefined;
    this.#ports.restore(state.ports);
    this.#virqs.splice(0, virqCount, ...state.virqs);
    this.#backends.restore(state.backends);
  }
}
