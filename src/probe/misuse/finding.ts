/** What a guest did against the rules of UEFI, as the probe `misuse` writes it. */

/** Which rule; the section of UEFI 2.10 that has it. */
export const misuseKinds = {
  'pool-overrun': '7.2.4',
  'use-after-free': '7.2.5',
  'unallocated-memory': '7.2',
  'bad-free': '7.2.5',
  'boot-services-memory': '7.4.6',
  'stale-map-key': '7.4.6',
  'call-after-exit-boot-services': '7.4.6',
  'task-priority': '7.1',
  'stack-alignment': '2.3.4.2',
  'direction-flag': '2.3.4',
} as const;
export type MisuseKind = keyof typeof misuseKinds;

/** Memory that was allocated, and by whom. */
export interface Allocation {
  /** Guest-physical. */
  readonly address: number;
  /** As many as were asked for. */
  readonly bytes: number;
  readonly of: 'pool' | 'pages';
  /** The service and its caller. */
  readonly allocatedBy: string;
  readonly freedBy?: string;
}

/** Where and by whom, in the guest's time. */
export interface Place {
  /** Guest-linear address of the instruction; of a call, where it returns to. */
  readonly instruction: bigint;
  /** The function it is in, where its name is known. */
  readonly from?: string | undefined;
}

/** One misuse; the same again by the same instruction is counted. */
export interface Finding {
  readonly kind: MisuseKind;
  /** One sentence for people. */
  readonly what: string;
  /** Of UEFI 2.10. */
  readonly section: string;
  readonly instruction: string;
  readonly from?: string;
  /** The first time: ticks, retired instructions, and the phase. */
  readonly tick: number;
  readonly instructions: number;
  readonly phase: string;
  readonly times: number;
  /** Of an access: the first byte, guest-physical. */
  readonly address?: string;
  readonly bytes?: number;
  readonly access?: 'load' | 'store';
  readonly allocation?: {
    readonly address: string;
    readonly bytes: number;
    readonly of: Allocation['of'];
    readonly allocatedBy: string;
    readonly freedBy?: string;
  };
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** An access to memory that the guest has no right to. */
export interface BadAccess {
  readonly physical: number;
  readonly bytes: number;
  readonly write: boolean;
}

/** The findings of a run, each once with how often. */
export class Findings {
  private readonly found = new Map<string, Finding>();
  /** Findings of another instruction behind the last that is kept. */
  more = 0;

  constructor(
    private readonly now: () => Pick<Finding, 'tick' | 'instructions' | 'phase'>,
    private readonly most = 500,
  ) {}

  /** How often it was found by now, this time included. `about` tells findings of one instruction apart. */
  add(
    kind: MisuseKind,
    what: string,
    place: Place,
    about: { access?: BadAccess; allocation?: Allocation } = {},
  ): number {
    const { access, allocation } = about;
    const { instruction, from } = place;
    const key = [kind, instruction, allocation?.address ?? (access ? '' : what)].join(' ');
    const known = this.found.get(key);
    if (known === undefined && this.found.size >= this.most) {
      this.more++;
      return 1;
    }
    const times = (known?.times ?? 0) + 1;
    const first: Finding = known ?? {
      ...{ kind, what, section: misuseKinds[kind], instruction: hex(instruction) },
      ...(from === undefined ? {} : { from }),
      ...this.now(),
      times,
      ...(access && {
        ...{ address: hex(access.physical), bytes: access.bytes },
        access: access.write ? ('store' as const) : ('load' as const),
      }),
      ...(allocation && { allocation: { ...allocation, address: hex(allocation.address) } }),
    };
    this.found.set(key, { ...first, times });
    return times;
  }

  all(): readonly Finding[] {
    return [...this.found.values()];
  }
}
