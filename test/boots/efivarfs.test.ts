import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import type { Context } from 'mocha';
import { cachedKernel, kernelFolder, kernelNames, type KernelName } from '../support/kernels.js';
import { efikit } from '../support/efikit.js';
import { initramfs } from '../support/linux-files.js';

const mine = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';
const crash = 'cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0';
const global = '8be4df61-93ca-11d2-aa0d-00e098032b8c';

/** A line of the guest: a variable as efivarfs gives it, attributes (7: NV, BS, RT; 6: BS, RT) before the data. */
const variable = (name: string, guid: string, data: string | readonly number[], attributes = 7): string =>
  `${name}-${guid} ${Buffer.from([attributes, 0, 0, 0, ...Buffer.from(data)]).toString('hex')}`;

/** What the firmware makes at each start. UEFI 2.10 section 3.3. */
const made = [
  variable('OsIndicationsSupported', global, new Array<number>(8).fill(0), 6),
  variable('SecureBoot', global, [0], 6),
  variable('SetupMode', global, [1], 6),
];
const loadOption = [1, 0, 0, 0, 4, 0, ...Buffer.from('Linux\0', 'utf16le'), 0x7f, 0xff, 4, 0];
const words = (text: string): string => variable('Words', crash, text);

/**
 * What the first visit prints, by its titles. QEMU 7.2 with OVMF 2022.11 gives the same answers; only its own variables
 * are there as well, and at run time it takes no storage of deleted ones back.
 */
const firstVisit = {
  found: made,
  'create, change, append': [
    ...['Words: written', words('one')],
    ...['Words: written', words('two and more')],
    ...['Words: written', words('three')],
    ...['Words: written', words('three four')], // EFI_VARIABLE_APPEND_WRITE appends, with O_APPEND
    ...['Words: written', words('three four five')], // and without
    ...['Words: written', words('six')], // O_APPEND alone does not: Linux gives no such thing to SetVariable
  ],
  delete: ['Gone: written', 'Gone: removed', 'Empty: written', 'Empty: written', ...made, words('six')],
  immutable: [
    'Guarded: written',
    'Guarded: Operation not permitted', // Linux's flag: unknown GUIDs are guarded against rm -rf
    'Guarded: Operation not permitted',
    'Guarded: written',
    'Brief: written',
    'Brief: removed',
    'SecureBoot: Read-only file system', // EFI_WRITE_PROTECTED
  ],
  'a boot entry': ['Boot0001: written', 'BootOrder: written', 'BootNext: Invalid argument'],
  refused: [
    'Volatile: Invalid argument', // at run time a new variable must be non-volatile
    'BootTime: Invalid argument', // and have run-time access
    'Signed: Permission denied', // EFI_SECURITY_VIOLATION
    'Unknown: Invalid argument',
    'Short: Invalid argument',
    'Nobody: Invalid argument',
    'Large: Invalid argument', // larger than MaximumVariableSize
  ],
  full: [
    ...[0, 1, 2, 3, 4, 5, 6].map((filled) => `Fill${String(filled)}: written`),
    'Firmware: No space left on device', // EFI_OUT_OF_RESOURCES
    'size 262044 free 30196', // QueryVariableInfo
    'Reserve: No space left on device',
    'size 262044 free 261700',
  ],
  left: [
    variable('Boot0001', global, loadOption),
    variable('BootOrder', global, [1, 0]),
    variable('Guarded', mine, 'changed'),
    ...made,
    words('six'),
  ],
};

const secondVisit = {
  found: [
    variable('Answer', mine, 'forty-two'),
    variable('Boot0001', global, loadOption),
    variable('BootOrder', global, [1, 0]),
    variable('Guarded', mine, 'changed'),
    ...made,
    words('from outside'),
  ],
  second: ['Answer: removed', 'BootOrder: written'],
  left: [
    variable('Boot0001', global, loadOption),
    variable('BootOrder', global, [2, 0, 1, 0]),
    variable('Guarded', mine, 'changed'),
    ...made,
    words('from outside'),
  ],
};

describe('efivarfs of Debian kernels, with --vars', function () {
  this.timeout(300_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'efikit-efivarfs-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  /** A kernel, its initramfs and a store of its own. */
  function prepare(context: Context, kernel: KernelName): { initrd: string; store: string; image: string } {
    cachedKernel(context, kernel);
    const initrd = path.join(folder, `initrd-${kernel}`);
    writeFileSync(initrd, initramfs(context, kernel, 'efivarfs.sh'));
    const store = path.join(mkdtempSync(path.join(folder, 'store-')), 'store');
    return { initrd, store, image: path.join(kernelFolder, `vmlinuz-${kernel}`) };
  }
  type Prepared = ReturnType<typeof prepare>;

  /** Boots, and gives what the guest printed. */
  async function visit({ image, initrd, store }: Prepared, which: string): Promise<Record<string, string[]>> {
    const { status, stdout, stderr } = await efikit([
      ...['boot', image, '--initrd', initrd, '--memory', '512M', '--vars', store],
      ...['--append', `console=ttyS0 loglevel=1 visit=${which}`],
    ]);
    expect(status, stderr + stdout).to.equal(0);
    return byTitle(stdout);
  }
  async function vars({ store }: Prepared, action: string, ...args: string[]): Promise<string> {
    const ended = await efikit(['vars', action, '--vars', store, ...args]);
    expect(ended.status, ended.stderr).to.equal(0);
    return ended.stdout;
  }

  for (const kernel of kernelNames) {
    it(`${kernel}: lists, creates, changes, appends and deletes, is refused; efikit vars list shows what is left`, async function () {
      const prepared = prepare(this, kernel);
      expect(await visit(prepared, 'first')).to.deep.equal(firstVisit);
      expect((await vars(prepared, 'list')).split('\n').sort()).to.deep.equal([
        '',
        `${mine}  nv,bs,rt          7  Guarded`,
        `${global}  nv,bs,rt          2  BootOrder`,
        `${global}  nv,bs,rt         ${String(loadOption.length)}  Boot0001`,
        `${crash}  nv,bs,rt          3  Words`,
      ]);
      if (kernel === 'latest-cloud') return; // two kernels are enough for the rest

      expect(await vars(prepared, 'get', '--name', 'Words', '--raw')).to.equal('six');
      expect(await vars(prepared, 'get', '--name', 'Boot0001')).to.contain('01 00 00 00 04 00 4c 00 69 00 6e 00 75 00');
      await vars(prepared, 'set', '--name', 'Answer', '--guid', mine, '--value', 'forty-two');
      await vars(prepared, 'set', '--name', 'Words', '--value', 'from outside');
      expect(await visit(prepared, 'second')).to.deep.equal(secondVisit);
      expect(await vars(prepared, 'list')).not.to.contain('Answer');
      expect(await vars(prepared, 'get', '--name', 'BootOrder')).to.match(/^000000 {2}02 00 01 00 /m);
    });
  }
});

/** The lines of the guest behind each of its titles. */
function byTitle(console: string): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  let current: string[] = []; // the stub's lines, before the first title
  for (const line of console.split(/\r?\n/)) {
    const title = /^== (.*)/.exec(line)?.[1];
    if (title !== undefined) current = lines[title] = [];
    else if (line !== '' && !line.startsWith('[')) current.push(line); // the kernel's own lines begin with a time
  }
  return lines;
}
