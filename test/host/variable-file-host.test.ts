import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { StoreError, VariableFile } from '../../src/host/variable-file.js';
import { replaceFile } from '../../src/host/replace-file.js';
import { OutputError } from '../../src/host/console-output.js';
import { example, root } from '../support/efikit.js';
import { changeAt } from '../support/variable-changes.js';

describe('variable store file, on the file system', function () {
  this.timeout(20_000);
  let folder: string;
  const at = (name: string): string => path.join(folder, name);
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-store-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const opens = (name: string): void => {
    const store = VariableFile.open(at(name));
    expect(store.commit(changeAt(0))).to.equal('stored');
    store.close();
  };
  const refuses = (name: string, what: RegExp): void => {
    const before = readdirSync(folder);
    expect(() => VariableFile.open(at(name))).to.throw(StoreError, what);
    expect(readdirSync(folder)).to.deep.equal(before);
  };

  it('what is no file, or none that can be had, is refused by name', () => {
    mkdirSync(at('folder'));
    refuses('folder', /folder is no regular file/);
    symlinkSync('/dev/null', at('null'));
    refuses('null', /null is no regular file/);
    spawnSync('mkfifo', [at('fifo')]);
    refuses('fifo', /fifo is no regular file/);
    refuses('none/store', /none\/store cannot be used: its folder does not exist/);
    writeFileSync(at('text'), 'hello');
    refuses('text', /text: no variable store/);
    refuses('text/store', /a folder of its path is a file/);
    refuses('x'.repeat(240), /its name is too long/);
    writeFileSync(at('vars.qcow2'), Uint8Array.of(0x51, 0x46, 0x49, 0xfb));
    refuses('vars.qcow2', /qemu-img convert/);
  });

  it('behind a link the file itself is the store; links into nothing or in a circle are refused', () => {
    opens('store');
    symlinkSync('store', at('link'));
    const store = VariableFile.open(at('link'));
    refuses('store', /in use by process/);
    store.replace([]);
    store.close();
    expect(readFileSync(at('store'), 'utf8')).to.equal('efikit-variable-store 1\n');
    symlinkSync('nowhere', at('dangling'));
    refuses('dangling', /is a link to nowhere, which does not exist/);
    symlinkSync('circle', at('circle'));
    refuses('circle', /its links lead in a circle/);
  });

  it('a file with two names is read, not changed: each name would have a lock of its own', () => {
    opens('store');
    linkSync(at('store'), at('other'));
    refuses('other', /has 2 names/);
    expect(VariableFile.read(at('other'))).to.have.length(1);
  });

  it('a file that is written anew keeps its owner, group and permissions', () => {
    opens('store');
    chmodSync(at('store'), 0o640);
    if (process.getuid?.() === 0) chownSync(at('store'), 65_534, 65_533);
    const { uid, gid } = statSync(at('store'));
    const store = VariableFile.open(at('store'));
    expect(store.replace([])).to.equal('stored');
    store.close();
    const after = statSync(at('store'));
    expect([after.uid, after.gid, after.mode & 0o777]).to.deep.equal([uid, gid, 0o640]);
  });

  it('files beside it are left alone', () => {
    for (const name of ['store.new', 'store.tmp', '.store.lock', '.store.swp']) writeFileSync(at(name), 'mine');
    opens('store');
    const store = VariableFile.open(at('store'));
    store.replace([]);
    store.close();
    for (const name of ['store.new', 'store.tmp', '.store.lock', '.store.swp']) {
      expect(readFileSync(at(name), 'utf8')).to.equal('mine');
    }
  });

  it('an empty file is a new store, and that is said; createLater makes none before the first change', () => {
    writeFileSync(at('empty'), '');
    const store = VariableFile.open(at('empty'));
    expect(store.notice).to.match(/the file is empty/);
    expect(store.commit(changeAt(0))).to.equal('stored');
    store.close();
    VariableFile.open(at('later'), { createLater: true }).close();
    expect(readdirSync(folder)).to.deep.equal(['empty']);
    const later = VariableFile.open(at('later'), { createLater: true });
    expect(later.commit(changeAt(0))).to.equal('stored');
    later.close();
    expect(VariableFile.read(at('later'))).to.have.length(1);
  });

  it('removed or cut by another program while in use: made anew; replaced: left, and the change fails', () => {
    const store = VariableFile.open(at('store'));
    for (let n = 0; n < 3; n++) expect(store.commit(changeAt(n))).to.equal('stored');
    rmSync(at('store'));
    expect(store.commit(changeAt(3))).to.equal('stored');
    expect(VariableFile.read(at('store'))).to.deep.equal(store.all());
    writeFileSync(at('store'), '');
    expect(store.commit(changeAt(4))).to.equal('stored');
    expect(VariableFile.read(at('store'))).to.deep.equal(store.all());
    replaceFile(at('store'), Uint8Array.of(1, 2, 3));
    expect(store.commit(changeAt(5))).to.equal('failed');
    expect(store.failure).to.match(/replaced by another program/);
    expect([...readFileSync(at('store'))]).to.deep.equal([1, 2, 3]);
    store.close();
  });

  it('a limit of the file size (RLIMIT_FSIZE): the guest gets EFI_OUT_OF_RESOURCES, what was there stays, nobody dies', () => {
    const store = VariableFile.open(at('store'));
    const variable = { guid: '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4', name: 'A', attributes: 7, data: '00'.repeat(430) };
    expect(store.commit({ ...variable, variable })).to.equal('stored');
    store.close();
    const limited = (...args: string[]): { status: number | null; stderr: string } =>
      spawnSync('bash', ['-c', 'ulimit -f 1; exec "$@"', 'bash', process.execPath, 'dist/cli.js', ...args], {
        cwd: root,
        encoding: 'utf8',
      });
    const boot = limited('boot', example('hello-variables/hello-variables.efi'), '--vars', at('store'));
    expect(boot.status, boot.stderr).to.be.oneOf([0, 1]); // the guest's own answer to the status
    expect(boot.stderr).to.match(/is not stored in .*\(EFBIG\); the guest gets EFI_OUT_OF_RESOURCES/);
    const set = limited('vars', 'set', '--vars', at('store'), '--name', 'A', '--value', 'x'.repeat(900));
    expect(set.status).to.equal(4);
    expect(set.stderr).to.match(/is as it was, .*EFBIG/);
    expect(VariableFile.read(at('store'))).to.deep.equal([variable]);
    expect(readdirSync(folder)).to.deep.equal(['store']);
  });
});

describe('replaceFile', () => {
  it('writes a file whole or leaves it, keeps links, and writes to what is no file', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'efikit-replace-'));
    const file = path.join(folder, 'file');
    try {
      replaceFile(file, Uint8Array.of(1));
      symlinkSync('file', path.join(folder, 'link'));
      replaceFile(path.join(folder, 'link'), Uint8Array.of(2));
      expect([...readFileSync(file)]).to.deep.equal([2]);
      replaceFile('/dev/null', Uint8Array.of(3));
      expect(() => {
        replaceFile('/dev/full', Uint8Array.of(3));
      }).to.throw(OutputError, /ENOSPC/);
      expect(() => {
        replaceFile(path.join(folder, 'none/file'), Uint8Array.of(3));
      }).to.throw(OutputError, /ENOENT/);
      expect(readdirSync(folder).sort()).to.deep.equal(['file', 'link']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
