import { bootServiceSlots } from '../../firmware-tables/uefi/boot-services.js';
import { loadFile2Functions } from '../../firmware-tables/uefi/protocols/load-file2.js';
import { textInputFunctions } from '../../firmware-tables/uefi/protocols/simple-text-input.js';
import { textOutputFunctions } from '../../firmware-tables/uefi/protocols/simple-text-output.js';
import { runtimeServiceSlots } from '../../firmware-tables/uefi/runtime-services.js';
import { bootServices } from './boot-services/index.js';
import { GateGroup } from './gate.js';
import type { Overrides, OverrideTarget, Profile } from './profiles.js';
import { protocolFunctions } from './protocols/index.js';
import { runtimeServices } from './runtime-services/index.js';
import { declared, type Service } from './service.js';

/** One slot of a service table or a protocol, with its gate. */
export interface Slot {
  readonly gate: number;
  /** The service's name, with the protocol's in front for protocol functions. */
  readonly name: string;
  /** Section of UEFI 2.10. */
  readonly section: string;
  readonly service: Service;
  /** Works after ExitBootServices. */
  readonly runtime: boolean;
  /** Why the function does not act; undefined when it does. */
  readonly absent: 'profile' | 'override' | undefined;
  /** The slot is NULL: an ablation. */
  readonly isNull: boolean;
  /** A status that the override returns instead of acting. */
  readonly forced: { readonly status: bigint; readonly times?: number } | undefined;
  /** A corruption of the service by an override: its name in corruptions.ts. */
  readonly corrupt: { readonly corrupt: string; readonly times?: number } | undefined;
  /** Ticks that each call takes by an override. */
  readonly delay: number;
}

interface Group {
  readonly start: number;
  readonly prefix: string;
  readonly functions: readonly { readonly name: string; readonly section: string }[];
  readonly services: Readonly<Record<string, Service>>;
  readonly runtime: boolean;
}

const groups: readonly Group[] = [
  { start: GateGroup.bootServices, prefix: '', functions: bootServiceSlots, services: bootServices, runtime: false },
  {
    start: GateGroup.runtimeServices,
    prefix: '',
    functions: runtimeServiceSlots,
    services: runtimeServices,
    runtime: true,
  },
  {
    start: GateGroup.textOutput,
    prefix: 'SimpleTextOutput.',
    functions: textOutputFunctions,
    services: protocolFunctions,
    runtime: false,
  },
  {
    start: GateGroup.textInput,
    prefix: 'SimpleTextInput.',
    functions: textInputFunctions,
    services: protocolFunctions,
    runtime: false,
  },
  {
    start: GateGroup.loadFile2,
    prefix: 'LoadFile2.',
    functions: loadFile2Functions,
    services: protocolFunctions,
    runtime: false,
  },
];

const noArguments = declared({});

/** Every slot there is under a profile and its overrides, by gate. */
export function buildSlots(profile: Profile, overrides: Overrides): ReadonlyMap<number, Slot> {
  const slots = new Map<number, Slot>();
  for (const group of groups) {
    group.functions.forEach((fn, index) => {
      const name = group.prefix + fn.name;
      const service = group.services[name] ?? noArguments;
      const override = overrides[name as OverrideTarget];
      const inProfile = name in profile.services || override === 'present';
      const absent = override === 'absent' ? 'override' : inProfile && service.run ? undefined : 'profile';
      slots.set(group.start + index, {
        gate: group.start + index,
        name,
        section: fn.section,
        service,
        runtime: group.runtime,
        absent,
        isNull: override === 'null',
        forced: typeof override === 'object' && 'status' in override ? override : undefined,
        corrupt: typeof override === 'object' && 'corrupt' in override ? override : undefined,
        delay: typeof override === 'object' && 'delay' in override ? override.delay : 0,
      });
    });
  }
  return slots;
}
