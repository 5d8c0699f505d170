import { guidBytes } from '../../firmware-tables/guid.js';
import { VariableAttribute } from '../../firmware-tables/uefi/runtime-services.js';
import { Status, statusName } from '../../firmware-tables/uefi/status.js';
import { linux } from '../../src/firmware/index.js';
import { string16Bytes } from '../../src/firmware/guest-access.js';
import { Generator, type Fuzzer } from './generator.js';
import { places, ServiceMachine } from './service-machine.js';

const callsPerSession = 200;
const access = VariableAttribute.BOOTSERVICE_ACCESS | VariableAttribute.RUNTIME_ACCESS;
const guids = ['8be4df61-93ca-11d2-aa0d-00e098032b8c', '605dab50-e046-4300-abb6-3dd810dd8b23'];
const names = ['a', 'A', 'Boot0000', 'x'.repeat(40), 'data', '\u00e4'];
const sizes = [0, 1, 7, 100, 1024, 4000];
const attributes = [0, 1, 2, 3, 4, 6, 7, 7, 7, 7, 0x47, 0x27, 0x17, 0xf, 0x87, 0x40, 0xffff_ffff, 6, 0x46];

const nameAt = places.plain;
const guidAt = places.plain + 0x100n;
const sizeAt = places.plain + 0x110n;
const attributesAt = places.plain + 0x118n;
const dataAt = places.plain + 0x200n;
const dataRoom = 0x1e00; // to the end of the two pages

interface Known {
  readonly attributes: number;
  readonly data: Uint8Array;
}

/** Sequences of variable calls against a model that knows only what the specification promises of successful calls. */
class VariableSession {
  private readonly known = new Map<string, Known>();
  private ended = false;

  constructor(
    private readonly machine: ServiceMachine,
    private readonly choose: Generator,
    private readonly stack: bigint,
  ) {
    for (const { guid, name, attributes: flags, data } of machine.firmware.variables.all())
      this.known.set(`${guid} ${name}`, { attributes: flags, data });
  }

  step(): void {
    const { choose, machine } = this;
    if (!this.ended && choose.once(150)) {
      machine.firmware.leaveBootServices();
      this.ended = true;
    }
    const kind = choose.below(10);
    if (kind < 5) this.set();
    else if (kind < 8) this.get();
    else if (kind < 9) this.enumerate();
    else this.query();
  }

  private call(name: string, ...args: bigint[]): bigint {
    const { host, firmware } = this.machine;
    const slot = [...firmware.slots.values()].find((candidate) => candidate.name === name);
    if (!slot) throw new Error(`no slot ${name}`);
    host.setRegister('rsp', this.stack);
    (['rcx', 'rdx', 'r8', 'r9'] as const).forEach((register, i) => {
      host.setRegister(register, args[i] ?? 0n);
    });
    firmware.guest.writeU64(this.stack + 0x28n, args[4] ?? 0n);
    firmware.serve(slot.gate);
    if (host.faults > 0) throw new Error(`${name} faulted`);
    return host.getRegister('rax');
  }

  private place(name: string, guid: string): void {
    const { guest } = this.machine.firmware;
    guest.write(nameAt, string16Bytes(name));
    guest.write(guidAt, guidBytes(guid));
  }

  private set(): void {
    const { choose } = this;
    const { guest } = this.machine.firmware;
    const [name, guid, flags] = [choose.pick(names), choose.pick(guids), choose.pick(attributes)];
    const data = new Uint8Array(choose.pick(sizes)).fill(choose.below(256));
    this.place(name, guid);
    guest.write(dataAt, data);
    const status = this.call('SetVariable', nameAt, guidAt, BigInt(flags), BigInt(data.length), dataAt);
    if (status !== Status.SUCCESS) return;
    const key = `${guid} ${name}`;
    const before = this.known.get(key);
    const append = (flags & VariableAttribute.APPEND_WRITE) !== 0;
    const lasting = flags & ~VariableAttribute.APPEND_WRITE;
    if ((lasting & access) === 0 || (data.length === 0 && !append)) this.known.delete(key);
    else if (append && data.length === 0) return;
    else {
      const joined = append && before ? Uint8Array.of(...before.data, ...data) : data;
      this.known.set(key, { attributes: lasting, data: joined });
    }
  }

  private isVisible = ({ attributes: flags }: Known): boolean =>
    !this.ended || (flags & VariableAttribute.RUNTIME_ACCESS) !== 0;

  private get(): void {
    const { choose } = this;
    const { guest } = this.machine.firmware;
    const [name, guid] = [choose.pick(names), choose.pick(guids)];
    const known = this.known.get(`${guid} ${name}`);
    const expected = known && this.isVisible(known) ? known : undefined;
    const room = choose.pick([0, 1, 100, dataRoom]);
    this.place(name, guid);
    guest.writeU64(sizeAt, BigInt(room));
    const status = this.call('GetVariable', nameAt, guidAt, attributesAt, sizeAt, dataAt);
    const wanted = !expected
      ? Status.NOT_FOUND
      : room < expected.data.length
        ? Status.BUFFER_TOO_SMALL
        : Status.SUCCESS;
    if (status !== wanted) {
      throw new Error(`GetVariable(${JSON.stringify(name)}): ${statusName(status)}, not ${statusName(wanted)}`);
    }
    if (!expected) return;
    if (guest.readU64(sizeAt) !== BigInt(expected.data.length))
      throw new Error('GetVariable: another size than was set');
    if (status !== Status.SUCCESS) return;
    const data = guest.read(dataAt, expected.data.length);
    if (guest.readU32(attributesAt) !== expected.attributes)
      throw new Error('GetVariable: other attributes than were set');
    if (!data.every((byte, i) => byte === expected.data[i])) throw new Error('GetVariable: other data than was set');
  }

  private enumerate(): void {
    const { guest } = this.machine.firmware;
    const found: string[] = [];
    this.place('', guids[0] ?? '');
    for (;;) {
      guest.writeU64(sizeAt, 0x100n);
      const status = this.call('GetNextVariableName', sizeAt, nameAt, guidAt);
      if (status === Status.NOT_FOUND) break;
      if (status !== Status.SUCCESS) throw new Error(`GetNextVariableName: ${statusName(status)}`);
      found.push(`${guest.readGuid(guidAt)} ${guest.readString16(nameAt) ?? ''}`);
      if (found.length > 1000) throw new Error('GetNextVariableName never ends');
    }
    const expected = [...this.known].filter(([, variable]) => this.isVisible(variable)).map(([key]) => key);
    const [have, want] = [found.sort().join('\n'), expected.sort().join('\n')];
    if (have !== want) throw new Error(`GetNextVariableName listed\n${have}\nnot\n${want}`);
  }

  private query(): void {
    const { guest } = this.machine.firmware;
    const flags = this.choose.pick(attributes);
    const status = this.call('QueryVariableInfo', BigInt(flags), dataAt, dataAt + 8n, dataAt + 16n);
    if (status !== Status.SUCCESS) return;
    const [most, left] = [guest.readU64(dataAt), guest.readU64(dataAt + 8n)];
    if (left > most) throw new Error(`QueryVariableInfo: ${String(left)} bytes are left of ${String(most)}`);
  }
}

export function variableFuzzer(): Fuzzer {
  let machine: ServiceMachine | undefined;
  return {
    name: 'variables',
    session(seed) {
      machine ??= new ServiceMachine();
      const choose = new Generator(seed);
      const stack = machine.begin(linux);
      const session = new VariableSession(machine, choose, stack);
      for (let i = 0; i < callsPerSession; i++) session.step();
      machine.requireGuard();
      return callsPerSession;
    },
  };
}
