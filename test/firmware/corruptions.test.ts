import { expect } from 'chai';
import { Status } from '../../firmware-tables/uefi/status.js';
import { corruptions } from '../../src/firmware/corruptions.js';
import { buildSlots } from '../../src/firmware/slots.js';
import { specifiedStatuses } from '../../src/firmware/specified-statuses.js';
import { linux } from '../../src/firmware/profiles.js';
import { FakeMachine, scratch } from './fake-machine.js';

const corrupted = (service: string, corrupt: string, times?: number): FakeMachine =>
  new FakeMachine({ overrides: { [service]: { corrupt, ...(times === undefined ? {} : { times }) } } });

describe('services that act and do harm', () => {
  const size = scratch;
  const buffer = scratch + 0x1000n;
  const [key, stride, version] = [scratch + 8n, scratch + 16n, scratch + 24n];
  const readMap = (machine: FakeMachine, room = 0x4000n): bigint => {
    machine.put(size, room);
    return machine.call('GetMemoryMap', size, buffer, key, stride, version);
  };
  const plain = new FakeMachine();
  readMap(plain);

  it('short-map: the last descriptor is missing, once or at each call', () => {
    const once = corrupted('GetMemoryMap', 'short-map', 1);
    expect(readMap(once)).to.equal(Status.SUCCESS);
    expect(once.u64(size)).to.equal(plain.u64(size) - 48n);
    readMap(once);
    expect(once.u64(size)).to.equal(plain.u64(size));
    const always = corrupted('GetMemoryMap', 'short-map');
    readMap(always);
    readMap(always);
    expect(always.u64(size)).to.equal(plain.u64(size) - 48n);
  });

  it('a call that leaves nothing to spoil does not count', () => {
    const machine = corrupted('GetMemoryMap', 'short-map', 1);
    expect(readMap(machine, 0n)).to.equal(Status.BUFFER_TOO_SMALL);
    expect(machine.u64(size)).to.equal(plain.u64(size));
    readMap(machine);
    expect(machine.u64(size)).to.equal(plain.u64(size) - 48n);
    expect(machine.calls.map(({ results }) => 'corrupted' in results)).to.deep.equal([false, true]);
  });

  it('map-grows: between the size and the map two entries come, so that an exact buffer is too small (UEFI 2.10 section 7.2.3)', () => {
    const exact = corrupted('GetMemoryMap', 'map-grows', 1);
    readMap(exact, 0n);
    expect(readMap(exact, exact.u64(size))).to.equal(Status.BUFFER_TOO_SMALL);
    expect(exact.u64(size)).to.equal(plain.u64(size) + 96n);
    expect(readMap(exact, exact.u64(size))).to.equal(Status.SUCCESS);
    const roomy = corrupted('GetMemoryMap', 'map-grows', 1);
    expect(readMap(roomy)).to.equal(Status.SUCCESS);
  });

  it('wrong-descriptor-size, wrong-version, stale-key: one output is wrong', () => {
    const sized = corrupted('GetMemoryMap', 'wrong-descriptor-size');
    readMap(sized);
    expect(sized.u64(stride)).to.equal(56n);
    const versioned = corrupted('GetMemoryMap', 'wrong-version');
    readMap(versioned);
    expect(versioned.u64(version) & 0xffff_ffffn).to.equal(2n);
    const stale = corrupted('GetMemoryMap', 'stale-key', 1);
    readMap(stale);
    expect(stale.call('ExitBootServices', stale.entry.imageHandle, stale.u64(key))).to.equal(Status.INVALID_PARAMETER);
    expect(stale.exitBootServices()).to.equal(Status.SUCCESS);
  });

  it('map-changes: ExitBootServices finds another map than was read, and the next try succeeds (section 7.4.6)', () => {
    const machine = corrupted('ExitBootServices', 'map-changes', 1);
    expect(machine.exitBootServices()).to.equal(Status.INVALID_PARAMETER);
    expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
  });

  it('dirty: pages and pools come full of 0xa5 (sections 7.2.1 and 7.2.4)', () => {
    const pages = corrupted('AllocatePages', 'dirty');
    expect(pages.call('AllocatePages', 0, 2, 2, scratch)).to.equal(Status.SUCCESS);
    expect(new Set(pages.memory.readPhysical(Number(pages.u64(scratch)), 8192))).to.deep.equal(new Set([0xa5]));
    const pool = corrupted('AllocatePool', 'dirty');
    expect(pool.call('AllocatePool', 2, 100, scratch)).to.equal(Status.SUCCESS);
    expect(new Set(pool.memory.readPhysical(Number(pool.u64(scratch)), 100))).to.deep.equal(new Set([0xa5]));
  });

  it('each is of a service that some profile has, and each service that acts has its statuses', () => {
    const acting = [...buildSlots(linux, {}).values()].filter(({ absent }) => absent === undefined);
    const names = acting.map(({ name }) => name);
    expect(names).to.include.members(Object.keys(corruptions));
    const without = names.filter((name) => !(name in specifiedStatuses));
    expect(without, 'does not return').to.deep.equal(['ResetSystem']);
  });
});
