import { expect } from 'chai';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { guidBytes, guidText } from '../../../firmware-tables/guid.js';
import { string16Bytes } from '../../../src/firmware/guest-access.js';
import { proposal } from '../../../src/firmware/profiles.js';
import { storageBytes, variableLimits } from '../../../src/firmware/variables/variable-store.js';
import { FakeMachine, scratch } from '../fake-machine.js';

const NV = 1;
const BS = 2;
const RT = 4;
const APPEND = 0x40;
const globals = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const vendor = '11111111-2222-3333-4444-555555555555';
const name = scratch + 0x100n;
const guid = scratch + 0x400n;
const size = scratch + 0x500n;
const attributes = scratch + 0x508n;
const buffer = scratch + 0x1_0000n;

describe('Variable services (UEFI 2.10 section 8.2)', () => {
  let machine: FakeMachine;
  beforeEach(() => {
    machine = new FakeMachine({ profile: proposal });
  });

  const set = (text: string, flags: number, data: number[] | Uint8Array, id = vendor): bigint => {
    machine.bytes(name, string16Bytes(text));
    machine.bytes(guid, guidBytes(id));
    machine.bytes(buffer, Uint8Array.from(data));
    return machine.call('SetVariable', name, guid, flags, data.length, buffer);
  };
  const get = (text: string, room = 0x1000): { status: bigint; data: number[]; size: bigint; attributes: bigint } => {
    machine.bytes(name, string16Bytes(text));
    machine.bytes(guid, guidBytes(vendor));
    machine.put(size, BigInt(room));
    machine.put(attributes, 0n);
    const status = machine.call('GetVariable', name, guid, attributes, size, buffer);
    const length = machine.u64(size);
    const data = status === Status.SUCCESS ? [...machine.memory.readVirtual(buffer, Number(length))] : [];
    return { status, data, size: length, attributes: machine.u64(attributes) };
  };
  const next = (text: string, id: string, room = 0x200): { status: bigint; name: string | undefined; guid: string } => {
    machine.bytes(name, string16Bytes(text));
    machine.bytes(guid, guidBytes(id));
    machine.put(size, BigInt(room));
    const status = machine.call('GetNextVariableName', size, name, guid);
    return {
      status,
      name: machine.firmware.guest.readString16(name),
      guid: guidText(machine.memory.readVirtual(guid, 16)),
    };
  };

  it('8.2.3, 8.2.1: what is set is read, with its attributes', () => {
    expect(set('Boot', NV | BS | RT, [1, 2, 3])).to.equal(Status.SUCCESS);
    const read = get('Boot');
    expect(read.status).to.equal(Status.SUCCESS);
    expect(read.data).to.deep.equal([1, 2, 3]);
    expect(read.attributes).to.equal(7n);
  });
  it('8.2.1: NOT_FOUND, BUFFER_TOO_SMALL with the size and attributes, INVALID_PARAMETER', () => {
    expect(get('None').status).to.equal(Status.NOT_FOUND);
    set('A', NV | BS, [1, 2, 3]);
    const small = get('A', 2);
    expect([small.status, small.size, small.attributes]).to.deep.equal([Status.BUFFER_TOO_SMALL, 3n, 3n]);
    const refused = Status.INVALID_PARAMETER;
    machine.put(size, 100n);
    expect(machine.call('GetVariable', 0, guid, 0, size, buffer)).to.equal(refused);
    expect(machine.call('GetVariable', name, 0, 0, size, buffer)).to.equal(refused);
    expect(machine.call('GetVariable', name, guid, 0, 0, buffer)).to.equal(refused);
    expect(machine.call('GetVariable', name, guid, 0, size, 0)).to.equal(refused);
    expect(machine.call('GetVariable', 0xffff_ffff_ffffn, guid, 0, size, buffer)).to.equal(refused);
  });
  it('8.2.3: refuses empty names, missing data and attributes that contradict each other', () => {
    expect(set('', BS, [1])).to.equal(Status.INVALID_PARAMETER);
    machine.bytes(name, string16Bytes('X'));
    expect(machine.call('SetVariable', 0, guid, BS, 1, buffer)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('SetVariable', name, 0, BS, 1, buffer)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('SetVariable', name, guid, BS, 1, 0)).to.equal(Status.INVALID_PARAMETER);
    expect(set('X', RT, [1])).to.equal(Status.INVALID_PARAMETER);
    expect(set('X', NV | RT, [1])).to.equal(Status.INVALID_PARAMETER);
    expect(set('X', BS | 0x100, [1])).to.equal(Status.INVALID_PARAMETER);
    expect(set('X', BS | 0x10, [1])).to.equal(Status.UNSUPPORTED); // AUTHENTICATED_WRITE_ACCESS is deprecated
    expect(set('X', NV | BS | 0x20, [1])).to.equal(Status.SECURITY_VIOLATION); // no signature is valid yet
  });
  it('8.2.3: other attributes than the existing are refused, and nothing changes', () => {
    set('A', NV | BS, [1]);
    expect(set('A', BS, [2])).to.equal(Status.INVALID_PARAMETER);
    expect(get('A').data).to.deep.equal([1]);
  });
  it('8.2.3: deletes by size 0 and by attributes 0; NOT_FOUND when there is nothing to delete', () => {
    expect(set('A', NV | BS | RT, [])).to.equal(Status.NOT_FOUND);
    set('A', NV | BS | RT, [1]);
    expect(set('A', NV | BS | RT, [])).to.equal(Status.SUCCESS);
    expect(get('A').status).to.equal(Status.NOT_FOUND);
    set('A', BS, [1]);
    expect(set('A', 0, [9])).to.equal(Status.SUCCESS);
    expect(get('A').status).to.equal(Status.NOT_FOUND);
    expect(set('A', 0, [])).to.equal(Status.NOT_FOUND);
  });
  it('8.2.3: APPEND_WRITE appends, creates, and with size 0 does nothing', () => {
    expect(set('A', NV | BS | APPEND, [1])).to.equal(Status.SUCCESS);
    expect(set('A', NV | BS | APPEND, [2, 3])).to.equal(Status.SUCCESS);
    expect(set('A', NV | BS | APPEND, [])).to.equal(Status.SUCCESS);
    const read = get('A');
    expect(read.data).to.deep.equal([1, 2, 3]);
    expect(read.attributes).to.equal(3n);
    expect(set('B', NV | BS | APPEND, [])).to.equal(Status.SUCCESS);
    expect(get('B').status).to.equal(Status.NOT_FOUND);
  });
  it('8.2.3: INVALID_PARAMETER when name and data are more than the largest variable, appended too', () => {
    for (const flags of [BS, BS | RT, NV | BS, NV | BS | RT]) {
      const largest = variableLimits(flags).largest - 'Big'.length * 2 - 2;
      expect(set('Big', flags, new Uint8Array(largest + 1))).to.equal(Status.INVALID_PARAMETER);
      expect(set('Big', flags, new Uint8Array(largest))).to.equal(Status.SUCCESS);
      expect(set('Big', flags | APPEND, [1])).to.equal(Status.INVALID_PARAMETER);
      expect(get('Big', 0).size).to.equal(BigInt(largest));
      expect(set('Big', 0, [])).to.equal(Status.SUCCESS);
    }
  });
  it('8.2.3: OUT_OF_RESOURCES when the store is full; what was there stays, and the volatile store is another', () => {
    let stored = 0;
    while (set(`V${String(stored)}`, NV | BS, new Uint8Array(30_000)) === Status.SUCCESS) stored++;
    expect(stored).to.equal(Math.floor(storageBytes / 30_068));
    const rest = storageBytes - stored * 30_068 - 2000;
    expect(set('R', NV | BS, new Uint8Array(rest - 64))).to.equal(Status.SUCCESS);
    const left = 2000;
    const before = machine.firmware.variables.export();
    const refused = [set('V0', NV | BS | APPEND, new Uint8Array(3000)), set('V1', NV | BS, new Uint8Array(33_700))];
    expect(refused).to.deep.equal([Status.OUT_OF_RESOURCES, Status.OUT_OF_RESOURCES]);
    expect(machine.firmware.variables.export()).to.deep.equal(before);
    expect(set('V', NV | BS, new Uint8Array(left - 64 + 1))).to.equal(Status.OUT_OF_RESOURCES);
    expect(set('V', NV | BS, new Uint8Array(left - 64))).to.equal(Status.SUCCESS);
    expect(set('small', NV | BS, [1])).to.equal(Status.OUT_OF_RESOURCES);
    expect(set('V2', NV | BS, new Uint8Array(30_000).fill(1))).to.equal(Status.SUCCESS); // in place of the old one
    expect(set('volatile', BS, new Uint8Array(30_000))).to.equal(Status.SUCCESS);
    expect(set('V5', 0, [])).to.equal(Status.SUCCESS);
    expect(set('small', NV | BS, [1])).to.equal(Status.SUCCESS);
  });
  it('8.2.2: enumerates each variable once, in a stable order, until NOT_FOUND', () => {
    expect(next('OsIndicationsSupported', globals).status).to.equal(Status.NOT_FOUND); // the last of the firmware's
    const other = '99999999-2222-3333-4444-555555555555';
    set('B', BS, [1]);
    set('A', BS, [1]);
    set('A', BS, [1], other);
    const seen: string[] = [];
    for (
      let at = next('OsIndicationsSupported', globals);
      at.status === Status.SUCCESS;
      at = next(at.name ?? '', at.guid)
    ) {
      seen.push(`${at.name ?? ''} ${at.guid}`);
    }
    expect(seen).to.deep.equal([`B ${vendor}`, `A ${vendor}`, `A ${other}`]);
  });
  it('8.2.2: INVALID_PARAMETER for unknown and unterminated names, BUFFER_TOO_SMALL with the size', () => {
    set('LongName', BS, [1]);
    expect(next('Nobody', vendor).status).to.equal(Status.INVALID_PARAMETER);
    expect(next('', vendor, 4).status).to.equal(Status.BUFFER_TOO_SMALL);
    expect(machine.u64(size)).to.equal(20n); // SetupMode
    expect(next('Lo', vendor, 4).status).to.equal(Status.INVALID_PARAMETER);
    expect(next('', vendor, 1).status).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('GetNextVariableName', 0, name, guid)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('GetNextVariableName', size, 0, guid)).to.equal(Status.INVALID_PARAMETER);
    expect(machine.call('GetNextVariableName', size, name, 0)).to.equal(Status.INVALID_PARAMETER);
  });
  it('8.2.4: QueryVariableInfo counts what is stored and refuses what it must', () => {
    const query = (flags: number): bigint =>
      machine.call('QueryVariableInfo', flags, scratch, scratch + 8n, scratch + 16n);
    expect(query(NV | BS | RT)).to.equal(Status.SUCCESS);
    const free = machine.u64(scratch + 8n);
    set('A', NV | BS, new Uint8Array(100));
    query(NV | BS | RT);
    expect(free - machine.u64(scratch + 8n)).to.equal(164n); // header, name, data
    expect(machine.u64(scratch)).to.equal(BigInt(storageBytes));
    expect(query(0)).to.equal(Status.INVALID_PARAMETER);
    expect(query(RT)).to.equal(Status.INVALID_PARAMETER);
    expect(query(NV)).to.equal(Status.INVALID_PARAMETER);
    expect(query(BS | 0x10)).to.equal(Status.UNSUPPORTED);
    expect(machine.call('QueryVariableInfo', BS, 0, scratch, scratch)).to.equal(Status.INVALID_PARAMETER);
  });

  describe('after ExitBootServices', () => {
    beforeEach(() => {
      set('Boot', NV | BS, [1]);
      set('Volatile', BS | RT, [2]);
      set('Both', NV | BS | RT, [3]);
      expect(machine.exitBootServices()).to.equal(Status.SUCCESS);
    });
    it('8.2.1, 8.2.2: only variables with run-time access are seen', () => {
      expect(get('Boot').status).to.equal(Status.NOT_FOUND);
      expect(get('Volatile').data).to.deep.equal([2]);
      expect(next('OsIndicationsSupported', globals).name).to.equal('Volatile');
      expect(next('Volatile', vendor).name).to.equal('Both');
      expect(next('Both', vendor).status).to.equal(Status.NOT_FOUND);
    });
    it('8.2.3: only non-volatile variables with run-time access are written', () => {
      expect(set('Both', NV | BS | RT, [4])).to.equal(Status.SUCCESS);
      expect(set('New', NV | BS | RT, [5])).to.equal(Status.SUCCESS);
      expect(set('Volatile', BS | RT, [6])).to.equal(Status.WRITE_PROTECTED);
      expect(set('New2', BS | RT, [7])).to.equal(Status.INVALID_PARAMETER);
      expect(set('New2', NV | BS, [7])).to.equal(Status.INVALID_PARAMETER);
      expect(set('Boot', NV | BS | RT, [8])).to.equal(Status.WRITE_PROTECTED);
      expect(set('Both', NV | BS | RT, [])).to.equal(Status.SUCCESS);
      expect(get('Both').status).to.equal(Status.NOT_FOUND);
    });
    it('8.2.4: attributes without run-time access are refused', () => {
      expect(machine.call('QueryVariableInfo', NV | BS, scratch, scratch, scratch)).to.equal(Status.INVALID_PARAMETER);
      expect(machine.call('QueryVariableInfo', NV | BS | RT, scratch, scratch, scratch)).to.equal(Status.SUCCESS);
    });
  });

  it('8.2.2: volatile variables first, then the others, each where it was last changed', () => {
    const order = (): string =>
      machine.firmware.variables
        .all()
        .filter((variable) => variable.guid === vendor)
        .map((variable) => variable.name)
        .join(' ');
    set('N', NV | BS, [1]);
    set('V', BS, [1]);
    set('M', NV | BS, [1]);
    expect(order()).to.equal('V N M');
    set('N', NV | BS, [1]);
    expect(order()).to.equal('V N M'); // the same data: nothing is written
    set('N', NV | BS, [2]);
    expect(order()).to.equal('V M N');
  });

  describe('architectural variables (section 3.3)', () => {
    it('SecureBoot, SetupMode and OsIndicationsSupported are there at each start, whatever the store has', () => {
      const stale = { name: 'SecureBoot', guid: globals.toUpperCase(), attributes: 7, data: '01' };
      machine = new FakeMachine({ profile: proposal, variables: [stale] });
      expect(machine.firmware.variables.export()).to.deep.equal([
        { name: 'SetupMode', guid: globals, attributes: 6, data: '01' },
        { name: 'SecureBoot', guid: globals, attributes: 6, data: '00' },
        { name: 'OsIndicationsSupported', guid: globals, attributes: 6, data: '0000000000000000' },
      ]);
      expect(machine.firmware.variables.export(true)).to.deep.equal([]);
    });
    it('EFI_WRITE_PROTECTED: only the firmware writes and deletes these', () => {
      for (const text of ['SecureBoot', 'SetupMode', 'PKDefault', 'VendorKeys']) {
        expect(set(text, BS | RT, [1], globals)).to.equal(Status.WRITE_PROTECTED);
        expect(set(text, 0, [], globals)).to.equal(Status.WRITE_PROTECTED);
      }
      expect(set('OsIndicationsSupported', BS | RT, [1, 0, 0, 0, 0, 0, 0, 0], globals)).to.equal(
        Status.WRITE_PROTECTED,
      );
      expect(set('OsIndicationsSupported', 0, [], globals)).to.equal(Status.WRITE_PROTECTED);
    });
    it('Boot####, BootOrder, OsIndications are written, with the attributes and data that section 3.3 says', () => {
      const option = [1, 0, 0, 0, 4, 0, 0x78, 0, 0, 0, 0x7f, 0xff, 4, 0];
      expect(set('Boot00AF', NV | BS | RT, option, globals)).to.equal(Status.SUCCESS);
      expect(set('BootOrder', NV | BS | RT, [0xaf, 0], globals)).to.equal(Status.SUCCESS);
      expect(set('BootOrder', NV | BS | RT | APPEND, [1, 0], globals)).to.equal(Status.SUCCESS);
      expect(set('OsIndications', NV | BS | RT, [1, 0, 0, 0, 0, 0, 0, 0], globals)).to.equal(Status.SUCCESS);
      for (const [text, flags, data] of [
        ['Boot00af', NV | BS | RT, option],
        ['Boot00AF', NV | BS, option],
        ['Boot00AE', NV | BS | RT, option.slice(0, 13)],
        ['BootOrder', NV | BS | RT, [1, 2, 3]],
        ['OsIndications', NV | BS | RT, [1]],
        ['Timeout', BS | RT, [1, 0]],
        ['Invented', NV | BS | RT, [1]],
        ['toString', NV | BS | RT, [1]],
      ] as const) {
        expect(set(text, flags, [...data], globals), text).to.equal(Status.INVALID_PARAMETER);
      }
      expect(set('Boot00AF', NV | BS | RT, [], globals)).to.equal(Status.SUCCESS);
    });
    it('PK, KEK and the signature databases are not written and not deleted without authentication', () => {
      expect(set('PK', NV | BS | RT, [1], globals)).to.equal(Status.INVALID_PARAMETER);
      expect(set('PK', 0, [], globals)).to.equal(Status.INVALID_PARAMETER);
      expect(set('db', NV | BS | RT | 0x20, [1], 'd719b2cb-3d3a-4596-a3bc-dad00e67656f')).to.equal(
        Status.SECURITY_VIOLATION,
      );
    });
  });

  it('8.2.6: an imported authenticated variable is read, and neither written nor deleted', () => {
    const kept = [{ name: 'Signed', guid: vendor, attributes: 0x27, data: '0102', time: '00'.repeat(16) }];
    machine = new FakeMachine({ profile: proposal, variables: kept });
    expect(get('Signed').data).to.deep.equal([1, 2]);
    expect(set('Signed', 0, [])).to.equal(Status.WRITE_PROTECTED);
    expect(set('Signed', NV | BS | RT, [3])).to.equal(Status.INVALID_PARAMETER);
    expect(set('Signed', 0x27, [3])).to.equal(Status.SECURITY_VIOLATION);
    expect(machine.firmware.variables.export(true)).to.deep.equal(kept);
  });

  it('the store is plain data that another machine takes up', () => {
    set('Keep', NV | BS | RT, [1, 255]);
    set('Lose', BS, [2]);
    const kept = machine.firmware.variables.export(true);
    expect(kept).to.deep.equal([{ name: 'Keep', guid: vendor, attributes: 7, data: '01ff' }]);
    machine = new FakeMachine({ profile: proposal, variables: JSON.parse(JSON.stringify(kept)) as typeof kept });
    expect(get('Keep').data).to.deep.equal([1, 255]);
  });
});
