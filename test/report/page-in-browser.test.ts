import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { loadPageAssets } from '../../src/host/page-assets.js';
import { ablationPage } from '../../src/report/page/ablation-page.js';
import { comparisonPage } from '../../src/report/page/comparison-page.js';
import { Chromium, findChromium } from '../support/chromium.js';
import { madeUpAblation, madeUpReport } from '../support/ablation-results.js';
import { hostile, madeUpComparison, madeUpRun } from '../support/comparison-results.js';
import { efikit, example } from '../support/efikit.js';

const program = findChromium();
const missing = program === undefined ? ' (SKIPPED: no Chromium in the PATH; name one in CHROMIUM)' : '';

describe(`a report page in a browser${missing}`, function () {
  this.timeout(120_000);
  let folder: string;
  let browser: Chromium;
  before(async function () {
    if (program === undefined) {
      this.skip();
      return;
    }
    folder = await mkdtemp(path.join(tmpdir(), 'efikit-pages-'));
    browser = await Chromium.start(program);
  });
  after(async () => {
    if (program === undefined) return;
    await browser.end();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a page out of a file and forgets what was seen before. */
  async function open(name: string, text?: string): Promise<void> {
    const file = path.join(folder, name);
    if (text !== undefined) await writeFile(file, text);
    browser.seen.problems.length = 0;
    browser.seen.requests.length = 0;
    await browser.open(pathToFileURL(file).href);
  }
  const overflow = (): Promise<unknown> =>
    browser.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
  const madeUp = (text?: string): string =>
    comparisonPage(madeUpComparison(madeUpRun('efi', text), madeUpRun('pvh', text)), loadPageAssets());

  it('of two-doors, by the command: no error, no request but its own, nothing wider than the window', async () => {
    const file = path.join(folder, 'two-doors.html');
    const images = [example('two-doors/two-doors.efi'), example('two-doors/two-doors.elf')];
    const { status, stderr } = await efikit([
      'compare',
      ...images,
      '--memory',
      '64M',
      '--initrd',
      'none',
      '--html',
      file,
    ]);
    expect(status, stderr).to.equal(0);
    for (const width of [400, 1000, 1600]) {
      await browser.size(width, 900);
      await open('two-doors.html');
      expect(await overflow(), `wider than ${String(width)}`).to.equal(0);
      expect(browser.seen).to.deep.equal({ problems: [], requests: [pathToFileURL(file).href] });
    }
  });

  it('arrow keys go from call to call, with the arguments and the memory map of each', async () => {
    await browser.size(1000, 900);
    await open('made-up.html', madeUp());
    const panel = (): Promise<unknown> => browser.evaluate("document.querySelector('#call-panel h3').textContent");
    expect(await panel())
      .to.contain('1 of 3')
      .and.to.contain('HandleProtocol');
    await browser.evaluate("document.querySelector('.cell').focus()");
    await browser.press('ArrowRight');
    expect(await panel())
      .to.contain('2 of 3')
      .and.to.contain('AllocatePages');
    expect(await browser.evaluate("document.querySelectorAll('#call-panel .is-new').length")).to.equal(2);
    await browser.press('End');
    expect(await panel())
      .to.contain('3 of 3')
      .and.to.contain('GetVariable');
    expect(await browser.evaluate("document.activeElement.getAttribute('aria-label')")).to.equal(
      '3: GetVariable: EFI_NOT_FOUND',
    );
    expect(browser.seen.problems).to.deep.equal([]);
  });

  it('a click into the time line goes to the nearest call', async () => {
    await open('made-up.html', madeUp());
    const click = (at: number): Promise<unknown> =>
      browser.evaluate(`(() => {
        const svg = document.querySelector('.scale-log .lanes'), { left, top, width } = svg.getBoundingClientRect();
        svg.querySelector('[data-lane=efi]').dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: left + width * ${String(at)}, clientY: top + 50 }));
        return document.querySelector('#call-panel h3').textContent;
      })()`);
    expect(await click(0.99)).to.contain('GetVariable');
    expect(await click(0.01)).to.contain('HandleProtocol');
  });

  it('ranges of a memory map: one stop of the Tab key, arrow keys between them, and the line below says which', async () => {
    await open('made-up.html', madeUp());
    expect(await browser.evaluate('document.querySelectorAll(\'#memory .range[tabindex="0"]\').length')).to.equal(1);
    await browser.evaluate("document.querySelector('#memory .range').focus()");
    await browser.press('ArrowDown');
    expect(await browser.evaluate("document.querySelector('#memory .readout').textContent")).to.equal(
      'efi at the entry: 00100000 to 0fffffff, 255 MiB, EfiConventionalMemory',
    );
  });

  it('of an ablation: arrow keys go over the troubles, and the line below says what came of each', async () => {
    await browser.size(400, 900);
    await open('ablation.html', ablationPage(madeUpReport(madeUpAblation(hostile)), loadPageAssets()));
    await browser.evaluate('document.querySelector(\'.matrix [tabindex="0"]\').focus()');
    await browser.press('ArrowRight');
    expect(await browser.evaluate("document.querySelector('#matrix .readout').textContent")).to.match(
      /^GetMemoryMap=null .*: stops before start_kernel: panicked, .*it says: /,
    );
    expect(await overflow()).to.equal(0);
    expect(browser.seen.problems).to.deep.equal([]);
  });

  it('functions are found by name or subsystem', async () => {
    const instructions = {
      total: 3,
      stretches: [
        {
          from: 'entry',
          to: 'end',
          instructions: 3,
          unpacking: 0,
          modes: { '64-bit': 3 },
          functions: { time: { tick: 2 }, memory: { kfree: 1 } },
        },
      ],
      longMode: { modes: [], pageTables: [], controlWrites: [] },
    };
    const run = madeUpRun('efi');
    await open(
      'functions.html',
      comparisonPage(madeUpComparison({ ...run, probes: { ...run.probes, instructions } }), loadPageAssets()),
    );
    const names = await browser.evaluate(`(() => {
      const input = document.querySelector('.find input');
      input.value = 'MEM';
      input.dispatchEvent(new Event('input'));
      return [...document.querySelectorAll('.finder tbody th')].map((cell) => cell.textContent);
    })()`);
    expect(names).to.deep.equal(['kfree']);
  });

  it('dark when the system is, or when told so; on paper everything is open', async () => {
    await browser.media('screen', 'dark');
    await open('made-up.html', madeUp());
    const ground = (): Promise<unknown> => browser.evaluate('getComputedStyle(document.body).backgroundColor');
    const dark = await ground();
    await browser.evaluate("document.querySelector('[data-theme=light]').click()");
    expect(await ground()).to.equal('rgb(255, 255, 255)');
    await browser.media('screen', 'light');
    expect(await ground()).to.equal('rgb(255, 255, 255)');
    await browser.evaluate("document.querySelector('[data-theme=dark]').click()");
    expect(await ground()).to.equal(dark);
    await browser.media('print', 'dark');
    await open('made-up.html');
    expect(await ground()).to.equal('rgb(255, 255, 255)');
    await browser.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await browser.evaluate("document.querySelectorAll('details:not([open])').length")).to.equal(0);
    expect(await browser.evaluate("getComputedStyle(document.querySelector('.scale-linear')).display")).to.equal(
      'block',
    );
    await browser.media('screen', 'light');
  });

  it('a hostile guest: its texts stay texts', async () => {
    await browser.size(400, 900);
    await open('hostile.html', madeUp(hostile));
    await browser.evaluate("document.querySelector('.cell').focus()");
    await browser.press('ArrowRight');
    expect(browser.seen.problems).to.deep.equal([]);
    expect(await browser.evaluate("document.querySelectorAll('img, iframe, object').length")).to.equal(0);
    expect(await browser.evaluate("document.querySelector('#call-panel').textContent")).to.contain('<img src=x');
    expect(await overflow()).to.equal(0);
  });
});
