import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { VariableFile } from '../../src/host/variable-file.js';
import { complaints, efikit, example, type Ended } from '../support/efikit.js';
import { ovmfImage } from '../support/ovmf-image.js';

const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';

describe('efikit vars', function () {
  this.timeout(60_000);
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  const run = (action: string, ...args: string[]): Promise<Ended> =>
    efikit(['vars', action, '--vars', at('store'), ...args]);
  const works = async (action: string, ...args: string[]): Promise<string> => {
    const ended = await run(action, ...args);
    expect(ended.status, ended.stderr).to.equal(0);
    expect(ended.stderr).to.equal('');
    return ended.stdout;
  };
  const refuses = (ended: Ended, status: number, what: RegExp): void => {
    expect(ended.status, ended.stderr).to.equal(status);
    expect(complaints(ended)).to.have.length(1);
    expect(ended.stderr).to.match(what);
  };
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-vars-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('set prints nothing, get and list show it, delete removes it', async () => {
    expect(await works('set', '--name', 'Greeting', '--guid', guid, '--value', 'hello')).to.equal('');
    expect(await works('get', '--name', 'Greeting', '--raw')).to.equal('hello');
    expect(await works('get', '--name', 'Greeting')).to.match(
      /nv,bs,rt {2}5 bytes\n000000 {2}68 65 6c 6c 6f +hello\n$/,
    );
    expect(await works('list')).to.equal(`${guid}  nv,bs,rt          5  Greeting\n`);
    expect(await works('delete', '--name', 'Greeting')).to.equal('');
    expect(await works('list')).to.equal('');
    expect(readdirSync(folder)).to.deep.equal(['store']);
  });

  it('set keeps the attributes of what is there, and knows the GUID of names that UEFI defines', async () => {
    await works('set', '--name', 'BootOrder', '--value', 'a', '--attributes', 'nv,bs');
    await works('set', '--name', 'BootOrder', '--value', 'b');
    expect(await works('list')).to.equal('8be4df61-93ca-11d2-aa0d-00e098032b8c  nv,bs             1  BootOrder\n');
    refuses(await run('set', '--name', 'Mine', '--value', 'a'), 2, /--guid is missing/);
  });

  it('refuses with status 2 what makes no sense', async () => {
    refuses(await run('lst'), 2, /none of list, get, set, delete, import, export/);
    refuses(await efikit(['vars', 'list']), 2, /give --vars FILE/);
    refuses(await run('set', '--name', 'A', '--guid', guid), 2, /one of --value TEXT and --data FILE/);
    refuses(await run('set', '--name', 'A', '--guid', guid, '--value', ''), 2, /vars delete removes it/);
    refuses(await run('set', '--name', 'A', '--guid', 'x', '--value', 'a'), 2, /--guid x/);
    refuses(await run('set', '--name', 'A', '--guid', guid, '--value', 'a', '--attributes', 'bs'), 2, /nv,bs,rt/);
    refuses(await run('list', '--raw'), 2, /--raw says nothing to vars list/);
    expect(readdirSync(folder)).to.deep.equal([]);
  });

  it('answers 1 when the variable is not there, 4 when the store is not', async () => {
    refuses(await run('list'), 4, /does not exist/);
    await works('set', '--name', 'A', '--guid', guid, '--value', 'a');
    refuses(await run('get', '--name', 'B'), 1, /has no variable B/);
    refuses(await run('delete', '--name', 'B'), 1, /has no variable B/);
    writeFileSync(at('store'), 'something else');
    refuses(await run('list'), 4, /no variable store/);
  });

  it('a store in use is read, not changed: status 4 and the process that has it', async () => {
    const store = VariableFile.open(at('store'));
    store.commit({ guid, name: 'A', variable: { guid, name: 'A', attributes: 7, data: '61' } });
    expect(await works('get', '--name', 'A', '--raw')).to.equal('a');
    const inUse = new RegExp(`in use by process ${String(process.pid)}`);
    refuses(await run('set', '--name', 'A', '--value', 'b'), 4, inUse);
    refuses(await efikit(['boot', example('hello/hello.efi'), '--vars', at('store')]), 4, inUse);
    store.close();
    await works('set', '--name', 'A', '--value', 'b');
  });

  it('imports an OVMF image; authenticated variables are read, refused to change, and go out as they came', async () => {
    const time = Buffer.from('e407050c0b0a0900000000000000ff00', 'hex');
    const image = ovmfImage('4M', [
      { name: 'Plain', guid, attributes: 7, data: Uint8Array.of(1), state: 0x3f },
      { name: 'db', guid, attributes: 0x27, data: Uint8Array.of(2, 3), state: 0x3f, time },
    ]);
    writeFileSync(at('OVMF_VARS.fd'), image);
    expect(await works('import', '--data', at('OVMF_VARS.fd'))).to.equal('2 variables imported\n');
    expect(await works('get', '--name', 'db', '--raw')).to.equal('\x02\x03');
    refuses(await run('set', '--name', 'db', '--value', 'x'), 4, /db is authenticated/);
    refuses(await run('delete', '--name', 'db'), 4, /db is authenticated/);
    writeFileSync(at('template.fd'), ovmfImage('4M'));
    await works('export', '--template', at('template.fd'), '--data', at('out.fd'));
    expect(Buffer.compare(readFileSync(at('out.fd')), image)).to.equal(0);
  });

  it('JSON and a folder of efivarfs come back as they went out', async () => {
    await works('set', '--name', 'A', '--guid', guid, '--value', 'one');
    await works('set', '--name', 'B', '--guid', guid, '--value', 'two', '--attributes', 'nv,bs');
    const json = await works('export');
    writeFileSync(at('out.json'), json);
    await works('export', '--format', 'efivarfs', '--data', at('files'));
    for (const from of ['out.json', 'files', 'store']) {
      const other = ['--vars', at(`from-${from}`)];
      await efikit(['vars', 'import', ...other, '--data', at(from)]);
      expect((await efikit(['vars', 'export', ...other])).stdout).to.equal(json);
    }
  });

  it('refuses a folder of efivarfs with a name that is no UTF-8: Linux writes lone surrogates so', async () => {
    mkdirSync(at('files'));
    const name = Buffer.concat([Buffer.from(at('files/')), Buffer.of(0xed, 0xa0, 0x80), Buffer.from(`-${guid}`)]);
    writeFileSync(name, Uint8Array.of(7, 0, 0, 0, 1));
    refuses(await run('import', '--data', at('files')), 4, /files: the name \S+ is no UTF-8/);
  });

  it('refuses a qcow2 image with the command that helps, and other files', async () => {
    writeFileSync(at('vars.qcow2'), Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 0, 0, 0, 3));
    refuses(
      await run('import', '--data', at('vars.qcow2')),
      4,
      /qemu-img convert -f qcow2 -O raw \S+vars.qcow2 \S+vars.fd/,
    );
    writeFileSync(at('other'), 'hello');
    refuses(await run('import', '--data', at('other')), 4, /neither a JSON variable store/);
    expect(readdirSync(folder).sort()).to.deep.equal(['other', 'vars.qcow2']);
  });

  it('a name that list shows in quotes is given in these quotes', async () => {
    const names = ['"\\ud800"', '"a\\"b"', '"tab\\there"', '"\\uffff"', '"\\u009b2J"', '"a b"'];
    for (const name of names) await works('set', '--name', name, '--guid', guid, '--value', name);
    const listed = (await works('list')).trimEnd().split('\n');
    expect(listed.map((line) => line.slice(line.indexOf('"')))).to.deep.equal(names);
    for (const name of names) expect(await works('get', '--name', name, '--raw')).to.equal(name);
    for (const name of names) await works('delete', '--name', name);
    refuses(await run('get', '--name', '"\\q"'), 2, /give escapes as JSON has them/);
    refuses(await run('get', '--name', '"\\u0000"'), 2, /no NUL/);
  });

  it('the largest variable of the firmware fits, one byte more is refused, and an import of such a one', async () => {
    const largest = 0x8400 - 60 - 4; // name and data together; the name is one character and the NUL
    const json = (bytes: number, name = 'A'): string =>
      JSON.stringify({ version: 2, variables: [{ guid, name, attr: 7, data: '00'.repeat(bytes) }] });
    writeFileSync(at('fits.json'), json(largest));
    writeFileSync(at('more.json'), json(largest + 1, 'B'));
    writeFileSync(at('more'), new Uint8Array(largest + 1));
    expect(await works('import', '--data', at('fits.json'))).to.equal('1 variable imported\n');
    refuses(await run('import', '--data', at('more.json')), 4, /B has 33733 bytes.*the store is as it was/);
    refuses(await run('set', '--name', 'A', '--data', at('more')), 4, /A has 33733 bytes/);
    expect(await works('list')).to.equal(`${guid}  nv,bs,rt      33728  A\n`);
  });

  it('more than the firmware holds altogether is refused, and the store is as it was', async () => {
    const variables = Array.from({ length: 9 }, (_, n) => ({
      guid,
      name: `V${String(n)}`,
      attr: 7,
      data: '00'.repeat(30_000),
    }));
    writeFileSync(at('many.json'), JSON.stringify({ version: 2, variables }));
    refuses(await run('import', '--data', at('many.json')), 4, /the store would hold 270\d\d\d bytes/);
    expect(readdirSync(folder)).to.deep.equal(['many.json']);
  });

  it('a variable that is in a file twice, volatile ones, one name under two GUIDs', async () => {
    const other = '8BE4DF61-93CA-11D2-AA0D-00E098032B8C';
    const variable = (vendor: string, attr: number): object => ({ guid: vendor, name: 'A', attr, data: '01' });
    const write = (...variables: object[]): void => {
      writeFileSync(at('in.json'), JSON.stringify({ version: 2, variables }));
    };
    write(variable(guid, 7), variable(guid.toUpperCase(), 7));
    refuses(await run('import', '--data', at('in.json')), 4, /A of 7a9ab5e3-\S+ is in it twice/);
    write(variable(other, 7), variable(guid, 7), { ...variable(guid, 6), name: 'Volatile' });
    expect(await works('import', '--data', at('in.json'))).to.equal('2 variables imported, 1 left out: volatile\n');
    expect((await works('list')).split('\n').map((line) => line.slice(0, 8))).to.deep.equal([
      '8be4df61',
      '7a9ab5e3',
      '',
    ]);
    refuses(await run('get', '--name', 'A'), 2, /A is there 2 times: give --guid/);
    expect(await works('get', '--name', 'A', '--guid', other, '--raw')).to.equal('\x01');
  });

  it('says what a cut off store left out, and what export leaves out', async () => {
    await works('set', '--name', 'A', '--guid', guid, '--value', 'a');
    await works('set', '--name', 'B', '--guid', guid, '--value', 'b');
    writeFileSync(at('cut'), readFileSync(at('store')).subarray(0, -3));
    const cut = await efikit(['vars', 'list', '--vars', at('cut')]);
    expect(cut.status).to.equal(0);
    expect(cut.stdout).to.match(/A\n$/);
    expect(cut.stderr).to.match(/the last \d+ bytes are a write that was not finished, left out\n$/);
    const signed = { guid, name: 'db', attr: 0x27, data: '00', time: '00'.repeat(16), digest: 'ab'.repeat(32) };
    writeFileSync(at('in.json'), JSON.stringify({ version: 2, variables: [signed] }));
    await works('import', '--data', at('in.json'));
    const json = JSON.parse(await works('export')) as { variables: unknown[] };
    expect(json.variables[2]).to.deep.equal(signed);
    const files = await run('export', '--format', 'efivarfs', '--data', at('files'));
    expect(files.stderr).to.match(/left out.*: time and digest of 1 authenticated variable; JSON keeps it\n$/);
    writeFileSync(at('template.fd'), ovmfImage('4M'));
    const image = await run('export', '--template', at('template.fd'), '--data', at('out.fd'));
    expect([files.status, image.status]).to.deep.equal([0, 0]);
    expect(image.stderr).to.match(/: digest of 1 authenticated variable/);
  });

  it('a write that fails leaves no new store, and export overwrites no store by another name', async () => {
    refuses(await run('set', '--name', 'Mine', '--value', 'a'), 2, /--guid is missing/);
    expect(readdirSync(folder)).to.deep.equal([]);
    await works('set', '--name', 'A', '--guid', guid, '--value', 'a');
    symlinkSync('store', at('link'));
    refuses(await run('export', '--data', at('link')), 2, /is the store itself/);
    const full = await efikit(['vars', 'export', '--vars', at('store'), '--data', '/dev/full']);
    refuses(full, 4, /cannot write \/dev\/full: no space left/);
    const shut = await efikit(['vars', 'list', '--vars', at('store')], { shellRedirect: '>/dev/full' });
    refuses(shut, 4, /no space left on the device/);
    const gone = await efikit(['vars', 'list', '--vars', at('store')], { shellRedirect: '| true' });
    expect(gone.stderr).to.equal('');
    expect(await works('get', '--name', 'A', '--raw')).to.equal('a');
  });

  it('boot --vars: a guest finds what the run before stored', async () => {
    const boot = (): Promise<Ended> =>
      efikit(['boot', example('hello-variables/hello-variables.efi'), '--vars', at('store')]);
    const first = await boot();
    expect(first.status, first.stderr).to.equal(0);
    const listed = await works('list');
    expect(listed).to.not.equal('');
    const second = await boot();
    expect(second.status, second.stderr).to.equal(0);
    expect(second.stdout).to.not.equal(first.stdout);
    expect(readdirSync(folder)).to.deep.equal(['store']);
  });

  it('boot --vars is refused where the door has no variables', async () => {
    const ended = await efikit(['boot', example('two-doors/two-doors.elf'), '--door', 'pvh', '--vars', at('store')]);
    refuses(ended, 2, /the door pvh has no EFI variables/);
  });
});
