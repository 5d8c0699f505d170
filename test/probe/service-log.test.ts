import { expect } from 'chai';
import type { ServiceCall } from '../../src/firmware/index.js';
import { eventRecord, ServiceLog, traceRecord } from '../../src/probe/service-log.js';

const call = (name: string, status: bigint): ServiceCall => ({
  name,
  status,
  section: '7.2.3',
  args: { MapKey: '1' },
  results: {},
  caller: 0x1000n,
  tick: 7,
});

describe('service log', () => {
  it('counts calls and statuses by name, in the order of the first calls', () => {
    const log = new ServiceLog();
    log.record(call('GetMemoryMap', 0x8000_0000_0000_0005n));
    log.record(call('Exit', 0n));
    log.record(call('GetMemoryMap', 0n));
    expect(log.summary()).to.deep.equal([
      { name: 'GetMemoryMap', calls: 2, statuses: { EFI_BUFFER_TOO_SMALL: 1, EFI_SUCCESS: 1 } },
      { name: 'Exit', calls: 1, statuses: { EFI_SUCCESS: 1 } },
    ]);
  });
  it('traces a call as plain JSON data', () => {
    expect(JSON.parse(JSON.stringify(traceRecord(call('Exit', 0n))))).to.deep.equal({
      tick: 7,
      name: 'Exit',
      section: '7.2.3',
      args: { MapKey: '1' },
      results: {},
      status: 'EFI_SUCCESS',
      caller: '0x1000',
    });
  });
  it('names the caller, and has long results as lists', () => {
    const long = { ...call('GetMemoryMap', 0n), results: { MapKey: '7' }, lists: { MemoryMap: ['a', 'b'] } };
    expect(traceRecord(long, 'image+0x10')).to.include({ caller: '0x1000', from: 'image+0x10' });
    expect(traceRecord(long)).to.have.deep.property('results', { MapKey: '7', MemoryMap: ['a', 'b'] });
  });
  it('traces what happens besides calls', () => {
    const details = { Vector: '6 (invalid opcode)' };
    expect(eventRecord({ event: 'exception', details, address: 0x10n, tick: 9 }, 'image+0x10')).to.deep.equal({
      tick: 9,
      event: 'exception',
      details,
      address: '0x10',
      from: 'image+0x10',
    });
    expect(eventRecord({ event: 'image-return', details, address: undefined, tick: 9 })).to.deep.equal({
      tick: 9,
      event: 'image-return',
      details,
    });
  });
});
