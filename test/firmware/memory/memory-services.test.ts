import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryAttribute, MemoryType } from '../../../firmware-tables/uefi/memory-descriptor.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { describeCall } from '../../../src/firmware/log/describe.js';
import { FakeMachine, scratch } from '../fake-machine.js';

const Any = 0;
const Max = 1;
const Address = 2;
const data = MemoryType.EfiLoaderData;
const memory = scratch + 0x100n;

describe('Memory services (UEFI 2.10 section 7.2)', () => {
  let machine: FakeMachine;
  beforeEach(() => {
    machine = new FakeMachine();
  });

  describe('GetMemoryMap (7.2.3)', () => {
    it('covers all RAM without gap or overlap, neighbours merged, 48-byte descriptors of version 1', () => {
      const map = machine.memoryMap();
      expect(machine.u64(scratch + 16n)).to.equal(48n);
      expect(machine.u64(scratch + 24n) & 0xffff_ffffn).to.equal(1n);
      let end = 0;
      let type = -1;
      for (const entry of map) {
        expect(entry.start).to.equal(end);
        expect(entry.type).not.to.equal(type);
        end = entry.start + entry.pages * 4096;
        type = entry.type;
      }
      expect(end).to.equal(64 << 20);
    });
    it('run-time regions carry RUNTIME and WB, the PC hole is reserved, page 0 is not free, ACPI tables are type 9', () => {
      const map = machine.memoryMap();
      for (const { type, attribute } of map) {
        expect((attribute & MemoryAttribute.RUNTIME) !== 0n).to.equal(type === 5 || type === 6);
        if (type !== MemoryType.EfiReservedMemoryType) expect(attribute & MemoryAttribute.WB).to.equal(8n);
      }
      const at = (address: number): number | undefined => machine.firmware.memoryMap.typeAt(address);
      expect([at(0), at(0x1000), at(0xa0000), at(0xe0000), at(0xf0000), at(0x100000)]).to.deep.equal([
        4, 7, 0, 9, 0, 7,
      ]);
    });
    it('BUFFER_TOO_SMALL gives the size that is needed', () => {
      machine.put(scratch, 0n);
      expect(machine.call('GetMemoryMap', scratch, 0, 0, 0, 0)).to.equal(Status.BUFFER_TOO_SMALL);
      const size = machine.u64(scratch);
      expect(size % 48n).to.equal(0n);
      machine.put(scratch, size);
      expect(machine.call('GetMemoryMap', scratch, scratch + 0x1000n, 0, 0, 0)).to.equal(Status.SUCCESS);
    });
    it('INVALID_PARAMETER without a size, or without a buffer where one would do', () => {
      expect(machine.call('GetMemoryMap', 0, 0, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
      machine.put(scratch, 0x10000n);
      expect(machine.call('GetMemoryMap', scratch, 0, 0, 0, 0)).to.equal(Status.INVALID_PARAMETER);
    });
    it('faults, with the address in the log, when a pointer cannot be followed', () => {
      machine.call('GetMemoryMap', 0xdead_0000_0000n, 0, 0, 0, 0);
      expect(machine.events.at(-1)).to.equal('fault 14 0 0xdead00000000');
      expect(describeCall(machine.calls.at(-1) ?? expect.fail())).to.contain('-> page fault at 0xdead00000000');
    });
    it('the key changes with each allocation and each release', () => {
      const keys = new Set<bigint>();
      const key = (): void => {
        machine.memoryMap();
        keys.add(machine.u64(scratch + 8n));
      };
      key();
      machine.call('AllocatePages', Any, data, 1, memory);
      key();
      machine.call('FreePages', machine.u64(memory), 1);
      key();
      machine.call('AllocatePool', data, 16, memory);
      key();
      machine.call('AllocatePool', data, 16, memory + 8n);
      key();
      machine.call('FreePool', machine.u64(memory));
      key();
      expect(keys.size).to.equal(6);
      key();
      expect(keys.size).to.equal(6);
    });
  });

  describe('AllocatePages (7.2.1)', () => {
    it('AllocateAnyPages gives pages of the type', () => {
      expect(machine.call('AllocatePages', Any, data, 3, memory)).to.equal(Status.SUCCESS);
      const start = Number(machine.u64(memory));
      expect(start % 4096).to.equal(0);
      expect(machine.firmware.memoryMap.typeAt(start + 0x2fff)).to.equal(data);
    });
    it('AllocateMaxAddress: the last byte is at most the given address', () => {
      machine.put(memory, 0x3f_ffffn);
      expect(machine.call('AllocatePages', Max, data, 16, memory)).to.equal(Status.SUCCESS);
      expect(machine.u64(memory)).to.equal(0x3f_0000n);
      machine.put(memory, 0x3f_fffen);
      expect(machine.call('AllocatePages', Max, data, 1, memory)).to.equal(Status.SUCCESS);
      expect(machine.u64(memory) + 4095n <= 0x3f_fffen).to.equal(true);
      machine.put(memory, 0xfffn);
      expect(machine.call('AllocatePages', Max, data, 1, memory)).to.equal(Status.OUT_OF_RESOURCES); // page 0
      machine.put(memory, 0xffff_ffff_ffff_ffffn);
      expect(machine.call('AllocatePages', Max, data, 1, memory)).to.equal(Status.SUCCESS);
    });
    it('AllocateAddress: exactly there, else NOT_FOUND', () => {
      const there = machine.put(memory, 0x100_0000n);
      expect(machine.call('AllocatePages', Address, data, 16, there)).to.equal(Status.SUCCESS);
      expect(machine.call('AllocatePages', Address, data, 1, there)).to.equal(Status.NOT_FOUND);
      machine.put(memory, 0n);
      expect(machine.call('AllocatePages', Address, data, 1, there)).to.equal(Status.NOT_FOUND);
      machine.put(memory, 1n << 40n);
      expect(machine.call('AllocatePages', Address, data, 1, there)).to.equal(Status.NOT_FOUND);
    });
    it('INVALID_PARAMETER for a wrong Type, MemoryType or pointer; OEM and loader types pass', () => {
      const refused = Status.INVALID_PARAMETER;
      expect(machine.call('AllocatePages', 3, data, 1, memory)).to.equal(refused);
      for (const type of [7, 14, 15, 16, 0x6fff_ffff])
        expect(machine.call('AllocatePages', Any, type, 1, memory)).to.equal(refused);
      expect(machine.call('AllocatePages', Any, data, 1, 0)).to.equal(refused);
      for (const type of [0x7000_0000, 0x8000_0001])
        expect(machine.call('AllocatePages', Any, type, 1, memory)).to.equal(Status.SUCCESS);
    });
    it('a pointer that cannot be written leaves the map as it was', () => {
      const key = machine.firmware.memoryMap.key;
      machine.memory.readOnly = { start: memory, end: memory + 8n };
      machine.call('AllocatePages', Any, data, 1, memory);
      expect(machine.events.at(-1)).to.equal(`fault 14 3 0x${memory.toString(16)}`);
      expect(machine.firmware.memoryMap.key).to.equal(key);
    });
    it('OUT_OF_RESOURCES when no run is long enough, and for no pages as in EDK II', () => {
      expect(machine.call('AllocatePages', Any, data, 0, memory)).to.equal(Status.OUT_OF_RESOURCES);
      expect(machine.call('AllocatePages', Any, data, 1 << 20, memory)).to.equal(Status.OUT_OF_RESOURCES);
      expect(machine.call('AllocatePages', Any, data, 0xffff_ffff_ffff_ffffn, memory)).to.equal(
        Status.OUT_OF_RESOURCES,
      );
    });
  });

  describe('FreePages (7.2.2)', () => {
    it('gives pages back, also some of an allocation', () => {
      machine.call('AllocatePages', Any, data, 4, memory);
      const start = machine.u64(memory);
      expect(machine.call('FreePages', start + 0x1000n, 1)).to.equal(Status.SUCCESS);
      expect(machine.firmware.memoryMap.typeAt(Number(start) + 0x1000)).to.equal(MemoryType.EfiConventionalMemory);
      expect(machine.firmware.memoryMap.typeAt(Number(start))).to.equal(data);
      expect(machine.call('FreePages', start + 0x1000n, 1)).to.equal(Status.NOT_FOUND);
    });
    it('INVALID_PARAMETER when unaligned, NOT_FOUND for what AllocatePages never gave', () => {
      expect(machine.call('FreePages', 0x10_0001, 1)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('FreePages', 0x10_0000, 0)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('FreePages', machine.entry.imageBase, 1)).to.equal(Status.NOT_FOUND);
      expect(machine.call('FreePages', 0xffff_ffff_f000n, 1)).to.equal(Status.NOT_FOUND);
    });
  });

  describe('AllocatePool and FreePool (7.2.4, 7.2.5)', () => {
    it('gives 8-byte aligned, disjoint buffers of the type, also of size 0', () => {
      const seen: [bigint, bigint][] = [];
      for (const size of [1n, 24n, 0n, 5000n, 8n, 4096n]) {
        expect(machine.call('AllocatePool', data, size, memory)).to.equal(Status.SUCCESS);
        const start = machine.u64(memory);
        expect(start % 8n).to.equal(0n);
        for (const [from, to] of seen) expect(start >= to || start + size <= from).to.equal(true);
        seen.push([start, start + size]);
        expect(machine.firmware.memoryMap.typeAt(Number(start))).to.equal(data);
      }
      for (const [start] of seen) expect(machine.call('FreePool', start)).to.equal(Status.SUCCESS);
      expect(machine.memoryMap().some(({ type }) => type === data)).to.equal(false);
    });
    it('INVALID_PARAMETER for NULL, unknown buffers and types; OUT_OF_RESOURCES when too large', () => {
      expect(machine.call('AllocatePool', 7, 8, memory)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('AllocatePool', data, 8, 0)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('AllocatePool', data, 1n << 40n, memory)).to.equal(Status.OUT_OF_RESOURCES);
      expect(machine.call('FreePool', 0)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('FreePool', 0x12345)).to.equal(Status.INVALID_PARAMETER);
    });
  });

  it('any sequence of allocations and releases keeps the map whole and brings all memory back', () => {
    const step = fc.record({
      pages: fc.integer({ min: 1, max: 300 }),
      type: fc.constantFrom(1, 2, 4, 6, 9),
      release: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const before = machine.memoryMap();
        const held: [bigint, number][] = [];
        for (const { pages, type, release } of steps) {
          const oldest = release ? held.shift() : undefined;
          if (oldest) expect(machine.call('FreePages', ...oldest)).to.equal(Status.SUCCESS);
          else if (machine.call('AllocatePages', Any, type, pages, memory) === Status.SUCCESS)
            held.push([machine.u64(memory), pages]);
          const map = machine.memoryMap();
          expect(map.reduce((sum, entry) => sum + entry.pages, 0)).to.equal((64 << 20) / 4096);
        }
        for (const [start, pages] of held) expect(machine.call('FreePages', start, pages)).to.equal(Status.SUCCESS);
        expect(machine.memoryMap()).to.deep.equal(before);
      }),
      { numRuns: 15, seed: 1 },
    );
  });

  it('7.4.6: ExitBootServices refuses a stale key; as in EDK II the handle does not matter', () => {
    machine.memoryMap();
    const key = machine.u64(scratch + 8n);
    machine.call('AllocatePool', data, 8, memory);
    expect(machine.call('ExitBootServices', machine.entry.imageHandle, key)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('ExitBootServices', 1, machine.firmware.memoryMap.key)).to.equal(Status.SUCCESS);
  });
});
