import { statusName } from '../../firmware-tables/uefi/status.js';
import { Guid } from '../../firmware-tables/uefi/guids.js';
import { guidBytes } from '../../firmware-tables/guid.js';
import { linux, proposal, type Firmware } from '../../src/firmware/index.js';
import { GuestAddressError } from '../../src/memory/guest-memory.js';
import { extremes, Generator, processorSeconds, type Fuzzer } from './generator.js';
import { places, ServiceMachine } from './service-machine.js';

const callsPerSession = 200;
const argumentCount = 6;
const longestCall = 5; // seconds

/** Pointers, good and hostile: `near` is a page whose ends matter. */
function pointer(choose: Generator, fw: Firmware, stack: bigint): bigint {
  const { systemTable, runtimeServices, configurationTable } = fw.tables.addresses;
  const near = choose.pick([
    ...Object.values(places),
    stack,
    BigInt(systemTable),
    BigInt(runtimeServices),
    BigInt(configurationTable),
    0xfee0_0000n,
    0xfec0_0000n,
    BigInt(fw.host.memory.ramBytes),
    0x0000_8000_0000_0000n,
    0xffff_8000_0000_0000n,
  ]);
  const away = choose.pick([
    0n,
    8n,
    16n,
    0x100n,
    0xff8n,
    0xfffn,
    0xff0n,
    0x1000n,
    0x1ff8n,
    0x1ff9n,
    -1n,
    -2n,
    -8n,
    -16n,
  ]);
  return BigInt.asUintN(64, near + away);
}

function argument(choose: Generator, fw: Firmware, stack: bigint): bigint {
  switch (choose.below(8)) {
    case 0:
      return choose.pick(extremes);
    case 1:
      return BigInt(choose.below(64));
    case 2:
      return choose.pick([fw.imageHandle, fw.loadFile2, BigInt(fw.memoryMap.key), ...fw.handles.list()]);
    case 3:
      return choose.bits() >> BigInt(choose.below(64));
    case 4:
      return places.plain + BigInt(choose.below(0x200) * 8);
    default:
      return pointer(choose, fw, stack);
  }
}

/** What services read behind pointers: sizes, GUIDs, names, device paths, memory descriptors. */
function fill(choose: Generator, fw: Firmware): void {
  const at = choose.pick([places.plain, places.plain + 8n, places.plain + 0xff8n, places.lastOfRam, places.top]);
  const word = new Uint8Array(8);
  new DataView(word.buffer).setBigUint64(0, choose.once(2) ? choose.pick(extremes) : argument(choose, fw, 0n), true);
  const content = choose.pick([
    (): Uint8Array => word,
    (): Uint8Array => guidBytes(choose.pick(Object.values(Guid))),
    (): Uint8Array => Uint8Array.of(0x42, 0, 0x6f, 0, 0x6f, 0, 0x74, 0, 0, 0),
    (): Uint8Array => Uint8Array.of(4, 3, 20, 0, ...guidBytes(Guid.LINUX_EFI_INITRD_MEDIA), 0x7f, 0xff, 4, 0),
    (): Uint8Array => choose.bytes(1 + choose.below(64)),
  ])();
  try {
    fw.guest.write(at + BigInt(choose.below(32) * 8), content);
  } catch (error) {
    if (!(error instanceof GuestAddressError)) throw error;
  }
}

/**
 * Every service of every gate with arguments of any kind, before and after ExitBootServices: a status that UEFI knows
 * comes back or the guest faults, no byte outside RAM is touched, and nothing takes long.
 */
export function serviceFuzzer(): Fuzzer {
  let machine: ServiceMachine | undefined;
  return {
    name: 'services',
    session(seed) {
      machine ??= new ServiceMachine();
      const choose = new Generator(seed);
      const stack = machine.begin(choose.once(4) ? proposal : linux);
      const { firmware, host } = machine;
      const gates = [...firmware.slots.values()];
      for (let call = 0; call < callsPerSession; call++) {
        for (let times = choose.below(4); times > 0; times--) fill(choose, firmware);
        if (choose.once(100) && !firmware.bootServicesEnded) firmware.leaveBootServices();
        const slot = choose.pick(gates);
        const registers = Array.from({ length: argumentCount }, () => argument(choose, firmware, stack));
        host.setRegister('rsp', choose.once(50) ? pointer(choose, firmware, stack) : stack);
        (['rcx', 'rdx', 'r8', 'r9'] as const).forEach((name, i) => {
          host.setRegister(name, registers[i] ?? 0n);
        });
        for (const [i, value] of registers.slice(4).entries()) {
          try {
            firmware.guest.writeU64(host.getRegister('rsp') + 0x28n + BigInt(i * 8), value);
          } catch (error) {
            if (!(error instanceof GuestAddressError)) throw error;
          }
        }
        const what = `${slot.name}(${registers.map((value) => `0x${value.toString(16)}`).join(', ')})`;
        const started = processorSeconds();
        try {
          firmware.serve(slot.gate);
        } catch (error) {
          throw new Error(`call ${String(call)}, ${what}: ${String(error)}`, { cause: error });
        }
        const seconds = processorSeconds() - started;
        if (seconds > longestCall) throw new Error(`call ${String(call)}, ${what}: took ${seconds.toFixed(1)} s`);
        const status = host.getRegister('rax');
        if (!statusName(status).startsWith('EFI_')) {
          throw new Error(`call ${String(call)}, ${what}: returned 0x${status.toString(16)}, no EFI_STATUS`);
        }
      }
      machine.requireGuard();
      return callsPerSession;
    },
  };
}
