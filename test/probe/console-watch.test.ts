import { expect } from 'chai';
import { ConsoleWatch } from '../../src/probe/console-watch.js';

function watch(text: string, wanted?: string): { panics: string[]; texts: string[]; console: ConsoleWatch } {
  const console = new ConsoleWatch();
  const panics: string[] = [];
  const texts: string[] = [];
  console.onPanicEnd = (reason) => panics.push(reason);
  console.onText = (found) => texts.push(found);
  if (wanted !== undefined) console.waitFor(wanted);
  for (const byte of new TextEncoder().encode(text)) console.write(byte);
  return { panics, texts, console };
}

describe('console watch', () => {
  it('knows a kernel panic by its two lines and keeps its reason', () => {
    const { panics } = watch(
      '[    1.2] Kernel panic - not syncing: VFS: Unable to mount root fs\r\n[    1.3] CPU: 0\r\n' +
        '[    1.4] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs ]---\r\n',
    );
    expect(panics).to.deep.equal(['VFS: Unable to mount root fs']);
  });
  it('takes no half of it for a panic', () => {
    expect(watch('Kernel panic - not syncing: x\r\n').panics).to.deep.equal([]);
    expect(watch('---[ end Kernel panic - not syncing: x ]---\r\n').panics).to.deep.equal([]);
    expect(watch('echo ---[ end Kernel panic - not syncing: x ]---\n').panics).to.deep.equal([]);
  });
  it('finds a text once, across lines and repetitions, as UTF-8', () => {
    expect(watch('aaab ab', 'aab').texts).to.deep.equal(['aab']);
    expect(watch('x\r\nGrüße an alle', 'Grüße').texts).to.deep.equal(['Grüße']);
    expect(watch('aa b', 'aab').texts).to.deep.equal([]);
  });
  it('keeps every byte', () => {
    const text = 'line\r\n'.repeat(20_000);
    expect(new TextDecoder().decode(watch(text).console.bytes())).to.equal(text);
  });
});
