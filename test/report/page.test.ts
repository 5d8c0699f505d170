import { expect } from 'chai';
import { dataElement, escaped, html } from '../../src/report/page/markup.js';
import { linearScale, logScale } from '../../src/report/page/scale.js';
import { byteText, percent, short } from '../../src/report/page/figures-text.js';
import { mapsAt } from '../../src/report/page/call-panel.js';
import { callsInOrder } from '../../src/report/page/call-order.js';
import type { CallsRecord, HypercallEntry } from '../../src/probe/calls/result.js';
import { changedMap, mapChange } from '../../src/probe/memory-maps/changes.js';
import { ablationPage } from '../../src/report/page/ablation-page.js';
import { detectionMatrix } from '../../src/report/page/detection.js';
import { ReportError, reportPage } from '../../src/report/page/report-page.js';
import { madeUpAblation, madeUpReport } from '../support/ablation-results.js';
import { comparisonPage } from '../../src/report/page/comparison-page.js';
import { hostile, madeUpComparison, madeUpRun, noAssets } from '../support/comparison-results.js';

describe('the markup of pages', () => {
  it('escapes every value, and leaves what is markup already', () => {
    const inner = html`<b>${'a & b'}</b>`;
    expect(html`<p title="${'"x" <y>'}">${inner}${['<', 1, undefined, false]}</p>`.toString()).to.equal(
      '<p title="&quot;x&quot; &lt;y&gt;"><b>a &amp; b</b>&lt;1</p>',
    );
  });

  it('shows control characters and those that turn the direction of the text by their number', () => {
    expect(escaped('a\u0000b\u001b[31m\u202ec\n')).to.equal('a\\u{0}b\\u{1b}[31m\\u{202e}c\n');
  });

  it('writes data so that nothing in it ends the element', () => {
    const text = dataElement('x', { a: '</script><script>alert(1)</script><!--' }).toString();
    expect(text.match(/<\/?script/g)).to.have.length(2);
    expect(JSON.parse(text.replace(/^<script[^>]*>|<\/script>$/g, ''))).to.deep.equal({
      a: '</script><script>alert(1)</script><!--',
    });
  });
});

describe('the scales of pages', () => {
  it('linear: equal steps from 0', () => {
    const { place, ticks } = linearScale(1_000_000);
    expect([place(0), place(500_000), place(1_000_000), place(2_000_000)]).to.deep.equal([0, 50, 100, 100]);
    expect(ticks.map(({ label }) => label)).to.deep.equal(['0', '200 k', '400 k', '600 k', '800 k', '1 M']);
  });

  it('logarithmic: equal powers, what is below the first at the edge', () => {
    const { place, ticks } = logScale(12_713, 1e8);
    expect([place(0), place(1e4), place(1e6), place(1e8)]).to.deep.equal([0, 0, 50, 100]);
    expect(ticks.map(({ label }) => label)).to.deep.equal(['<10 k', '100 k', '1 M', '10 M', '100 M']);
  });

  it('numbers have three digits, shares one behind the point, sizes their unit', () => {
    expect([869, 12_713, 97_120_340, 1_415_233_059].map(short)).to.deep.equal(['869', '12.7 k', '97.1 M', '1.42 G']);
    expect([percent(1, 3), percent(1, 1e6), percent(999_999, 1e6), percent(2, 2), percent(0, 0)]).to.deep.equal([
      '33.3 %',
      '<0.1 %',
      '99.9 %',
      '100 %',
      '-',
    ]);
    expect([1, 4096, 15 * 2 ** 20 + 2 ** 19].map(byteText)).to.deep.equal(['1 byte', '4 KiB', '15.5 MiB']);
  });
});

describe('memory maps along the calls', () => {
  const range = (start: number, end: number, type: string) => ({ start, end, type });
  const whole = [range(0, 1, 'a'), range(1, 9, 'b'), range(9, 10, 'a')];
  const split = [range(0, 1, 'a'), range(1, 5, 'b'), range(5, 9, 'c'), range(9, 10, 'a')];

  it('a change is what neither end has in common, and gives the map again', () => {
    const change = mapChange(whole, split);
    expect(change).to.deep.equal({ at: 1, removed: 1, added: [range(1, 5, 'b'), range(5, 9, 'c')] });
    expect(changedMap(whole, change!)).to.deep.equal(split);
    expect(changedMap(split, mapChange(split, whole)!)).to.deep.equal(whole);
    expect(mapChange(whole, [...whole])).to.equal(undefined);
    expect(changedMap([], mapChange([], whole)!)).to.deep.equal(whole);
    expect(changedMap(whole, mapChange(whole, [])!)).to.deep.equal([]);
  });

  it('a call that changed the map has it before and after, any other as it was', () => {
    const { calls } = madeUpRun('efi').probes as { calls: CallsRecord };
    const { memoryMap = [] } = calls;
    const scrub = { memoryMap, calls: callsInOrder(calls) };
    const after = mapsAt(scrub, 1)!.after;
    expect(mapsAt(scrub, 0)).to.deep.equal({ before: memoryMap, after: memoryMap });
    expect(mapsAt(scrub, 1)!.before).to.equal(memoryMap);
    expect(after).to.have.length(memoryMap.length + 1);
    expect(mapsAt(scrub, 2)).to.deep.equal({ before: after, after });
  });

  it('of many hypercalls the first of each operation has a cell, the others are folded', () => {
    const hypercall = (i: number): HypercallEntry => ({
      ...{ name: i % 50 === 10 ? `rare ${String(i)}` : 'EVTCHNOP_send', number: 32, tick: i, instructions: i },
      ...{
        phase: i < 150 ? 'start_kernel' : 'user-space',
        args: {},
        results: {},
        status: '0',
        caller: '0x1',
        from: 'f+0x1',
      },
    });
    const none = { calls: [], moreCalls: 0, moreHypercalls: 0, events: [] };
    const few = callsInOrder({ ...none, hypercalls: Array.from({ length: 60 }, (_, i) => hypercall(i)) });
    expect(few.every(({ kind }) => kind === 'hypercall')).to.equal(true);
    const many = callsInOrder({ ...none, hypercalls: Array.from({ length: 200 }, (_, i) => hypercall(i)) });
    expect(many.map(({ name }) => name)).to.deep.equal([
      ...['EVTCHNOP_send', '9 hypercalls', 'rare 10', '49 hypercalls', 'rare 60', '49 hypercalls', 'rare 110'],
      ...['39 hypercalls', '10 hypercalls', 'rare 160', '39 hypercalls'],
    ]);
    expect(many[1]).to.deep.include({ operations: { EVTCHNOP_send: 9 }, callers: { f: 9 }, instructions: 1, last: 9 });
  });
});

describe('the page of a comparison', () => {
  const text = (...doors: Parameters<typeof madeUpComparison>): string =>
    comparisonPage(madeUpComparison(...doors), noAssets);

  it('has a picture for what the probes took and a part for each section of others', () => {
    const page = text(madeUpRun('efi'), madeUpRun('pvh'));
    for (const part of ['overview', 'time-line', 'calls', 'memory', 'probe-something-new', 'console'])
      expect(page, part).to.contain(`id="${part}"`);
    expect(page).to.contain('Is anything new?').and.to.contain('a cell');
  });

  it('a closed door says why, one door and three are drawn, and a run without probes as well', () => {
    expect(text(madeUpRun('pvh'), { door: 'efi', closed: 'no PE header' })).to.contain('is closed: no PE header');
    expect(text({ door: 'pvh', closed: 'no note' })).to.contain('is closed: no note');
    expect(text(madeUpRun('efi'), madeUpRun('pvh'), madeUpRun('proposal'))).to.contain('efi, pvh and proposal');
    expect(text({ ...madeUpRun('efi'), probes: {} })).to.contain('made without that probe');
  });

  it('nothing that a guest wrote becomes markup', () => {
    const page = text(madeUpRun('efi', hostile), madeUpRun('pvh', hostile));
    expect(page).not.to.contain('<img').and.not.to.contain('<script>alert');
    expect(page.match(/<script/g)).to.have.length(2);
    expect(page.match(/<style/g)).to.have.length(1);
  });
});

describe('the page of an ablation', () => {
  it('has the minimal sets, a cell for each trouble with its mark, and what was tolerated', () => {
    const page = ablationPage(madeUpReport(madeUpAblation()), noAssets);
    for (const part of ['overview', 'minimal', 'matrix', 'tolerated']) expect(page, part).to.contain(`id="${part}"`);
    expect(page).not.to.contain('id="baseline"');
    const chips = [...page.matchAll(/class="chip ([\w-]+)"[^>]*>\s*<b>(.)<\/b>/g)].map(
      ([, look, mark]) => `${look ?? ''} ${mark ?? ''}`,
    );
    expect(chips.slice(0, 6)).to.deep.equal([
      ...['stops-kernel-entry K', 'stops-kernel-entry K', 'tolerated \u2248', 'same =', 'stops-kernel-entry K'],
      'tolerated \u2248',
    ]);
    expect(page).to.contain('1 part that the guest never uses');
  });

  it('of several kernels begins with what each of them needs', () => {
    const page = ablationPage(madeUpReport(madeUpAblation('x', '6.1'), madeUpAblation('x', '6.12')), noAssets);
    expect(page).to.contain('id="baseline"').and.to.contain('Linux 6.1 and Linux 6.12');
    expect(page).to.contain('id="matrix-linux-6-1"').and.to.contain('id="matrix-linux-6-12"');
  });

  it('nothing that a guest wrote becomes markup', () => {
    const page = ablationPage(madeUpReport(madeUpAblation(hostile, hostile), madeUpAblation(hostile)), noAssets);
    expect(page).not.to.contain('<img').and.not.to.contain('<script>alert');
    expect(page.match(/<script/g)).to.have.length(1);
  });
});

describe('the page of a saved result', () => {
  it('is the one that the command drew', () => {
    const result = madeUpComparison(madeUpRun('efi'), madeUpRun('pvh'));
    expect(reportPage(JSON.stringify(result), '0.0.0', noAssets)).to.deep.equal({
      html: comparisonPage(result, noAssets),
    });
    const ablations = madeUpReport(madeUpAblation());
    expect(reportPage(JSON.stringify(ablations), '0.0.0', noAssets).html).to.equal(ablationPage(ablations, noAssets));
  });

  it('says that another version wrote it, and refuses what is no result', () => {
    const result = madeUpComparison(madeUpRun('efi'));
    expect(reportPage(JSON.stringify(result), '9.9.9', noAssets).warning).to.match(
      /efikit 0\.0\.0 wrote .* this is 9\.9\.9/,
    );
    const refuses = (text: string, why: RegExp): void => {
      expect(() => reportPage(text, '0.0.0', noAssets)).to.throw(ReportError, why);
    };
    refuses('{', /not JSON/);
    refuses('7', /holds no result/);
    refuses(JSON.stringify(madeUpRun('efi')), /result of boot/);
    refuses('{"efikit":"0.0.0"}', /no result of compare or ablate/);
    refuses('{"efikit":"1.0.0","doors":[{"outcome":"reached"}],"joined":{}}', /efikit 1\.0\.0 wrote/);
  });
});

describe('how kernels find Xen, as a picture', () => {
  it('a table a door, a row a set of signals, a column a kernel', () => {
    const up = { outcome: 'up', detected: 'Xen HVM', guest_type: 'PVH' };
    const text = detectionMatrix({
      '6.1': {
        'door efi, leaves yes, no-VGA yes': up,
        'door pvh, leaves no, no-VGA no': { outcome: 'up', detected: null },
      },
      '6.12': { 'door efi, leaves yes, no-VGA yes': { ...up, guest_type: 'HVM' } },
    }).toString();
    expect([...text.matchAll(/class="chip ([\w-]+)">([^<]*)</g)].map(([, look, said]) => [look, said])).to.deep.equal([
      ['detected-pvh', 'Xen PVH'],
      ['detected-hvm', 'Xen HVM'],
      ['same', 'no Xen'],
    ]);
    expect(text.match(/<table/g)).to.have.length(2);
    expect(text).to.contain('not run');
  });
});
