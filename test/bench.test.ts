import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const script = (name: string): string => fileURLToPath(new URL(`../.ci/${name}`, import.meta.url));
const load = async (name: string): Promise<unknown> => import(pathToFileURL(script(`bench/${name}`)).href);

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber?: number;
}
type Seconds = Readonly<Record<string, number>>;
interface Classified {
  readonly before: Seconds;
  readonly after: Seconds;
  readonly startUpSeconds: number;
  readonly startedAt: number;
  readonly functions: readonly (readonly [string, number])[];
}

describe('.ci/bench', function () {
  this.timeout(20_000);

  describe('classify: samples of a CPU profile by what the time went into', () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'efikit-bench-test-'));
    after(() => {
      rmSync(folder, { recursive: true });
    });
    const bundle = path.join(folder, 'cli.js');
    const sources = ['src/cpu/processor.ts', 'src/cpu/decoder.ts', 'src/cpu/hot/tier.ts', 'src/loaders/lz4.ts'];
    writeFileSync(bundle, sources.map((source) => `// ${source}\ncode;\n`).join(''));
    const inSource = (functionName: string, source: string): Frame => ({
      functionName,
      url: pathToFileURL(bundle).href,
      lineNumber: 2 * sources.indexOf(source) + 1,
    });
    const native = (functionName: string): Frame => ({ functionName, url: '' });
    const wasm = (name: string): Frame => ({ functionName: 'wasm-function[999999]', url: `wasm://wasm/${name}-1234` });

    /** Each path is a stack from the outermost call on; each is one sample of 10 ms. */
    const classified = async (paths: readonly (readonly Frame[])[]): Promise<Classified> => {
      const root = { id: 1, callFrame: native('(root)'), children: [] as number[] };
      const nodes = [root];
      const samples = paths.map((frames) => {
        let parent = root;
        for (const callFrame of frames) {
          const node = { id: nodes.length + 1, callFrame, children: [] as number[] };
          nodes.push(node);
          parent.children.push(node.id);
          parent = node;
        }
        return parent.id;
      });
      samples.push(root.id); // the end: no time of its own
      const timeDeltas = samples.map((_, i) => (i === 0 ? 0 : 10_000));
      const { classify } = (await load('classify.mjs')) as { classify: (profile: unknown) => Classified };
      return classify({ nodes, samples, timeDeltas, startTime: 5_000_000 });
    };
    const rounded = (seconds: Seconds): Seconds =>
      Object.fromEntries(
        Object.entries(seconds)
          .filter(([, value]) => value > 0)
          .map(([key, value]) => [key, Math.round(value * 1000) / 1000]),
      );

    const run = inSource('run', 'src/cpu/processor.ts');
    const compile = inSource('compile', 'src/cpu/hot/tier.ts');
    const unpack = inSource('unpack', 'src/loaders/lz4.ts');

    it('everything before the first sample in guest code is start-up', async () => {
      const { before, after, startUpSeconds, startedAt } = await classified([
        [native('(program)')],
        [{ functionName: 'compileSourceTextModule', url: 'node:internal/modules/esm/utils' }],
        [inSource('', 'src/cpu/decoder.ts')],
        [unpack],
        [unpack, native('set')],
        [inSource('Processor', 'src/cpu/processor.ts'), native('Module')],
        [run, wasm('efikit.cold')],
      ]);
      expect(rounded(before)).to.include({ modules: 0.02, unpack: 0.02, own: 0.01, rest: 0.01 });
      expect(rounded(after)).to.deep.equal({ cold: 0.01 });
      expect(startUpSeconds).to.be.closeTo(0.06, 1e-9);
      expect(startedAt).to.equal(5);
    });

    it('afterwards a native function counts as what called it, and modules are told apart by name', async () => {
      const { after } = await classified([
        [run, wasm('efikit.cold')],
        [run, wasm('efikit.cold'), wasm('efikit.hot')],
        [run, wasm('efikit.cold'), wasm('efikit.core')],
        [run, inSource('decode', 'src/cpu/decoder.ts'), wasm('efikit.iced')],
        [run, inSource('decode', 'src/cpu/decoder.ts'), native('subarray')],
        [run, compile],
        [run, compile, native('Module')],
        [run, compile, native('Instance')],
        [run, native('(garbage collector)')],
        [unpack, wasm('efikit.hot')],
        [run],
      ]);
      expect(rounded(after)).to.deep.equal({
        cold: 0.01,
        hot: 0.01,
        core: 0.01,
        decode: 0.02,
        generate: 0.01,
        compile: 0.02,
        garbage: 0.01,
        rest: 0.01, // nothing is unpacked while the guest runs
        loop: 0.01,
      });
    });

    it('names the longest functions by their source file', async () => {
      const { functions } = await classified([[unpack], [unpack], [run]]);
      expect(functions.map(([name]) => name)).to.include.members([
        'src/loaders/lz4.ts unpack',
        'src/cpu/processor.ts run',
      ]);
      expect(functions[0]?.[1]).to.be.closeTo(0.02, 1e-9);
    });
  });

  it('a ratio is the median of the rounds and undefined when a side is missing', async () => {
    const { ratio } = (await load('figures.mjs')) as {
      ratio: (mine: readonly { seconds: number }[], theirs: readonly { seconds: number }[]) => number | undefined;
    };
    const of = (...seconds: number[]): { seconds: number }[] => seconds.map((value) => ({ seconds: value }));
    expect(ratio(of(1, 2, 30), of(2, 2, 10))).to.equal(1);
    expect(ratio(of(1, 3), of(2, 2))).to.equal(1);
    expect(ratio(of(1, 2), [])).to.equal(undefined);
    expect(ratio([], of(1))).to.equal(undefined);
  });

  for (const [args, status, message] of [
    [['--runs', '0'], 2, '--runs 0: give a number from 1 on'],
    [['--only', 'all'], 2, '--only all: the choices are boots, compute, profile'],
    [['--door', 'window'], 2, '--door window: the choices are pvh, efi'],
    [['--write', '--only', 'boots'], 2, '--write wants the whole report'],
    [['--speed'], 2, "Unknown option '--speed'"],
    [['--kernel', 'none', '--only', 'boots'], 4, 'vmlinuz-none is missing: fetch it with examples/get-kernels'],
  ] as const) {
    it(`bench ${args.join(' ')} ends with status ${status} and one line that says why`, () => {
      const result = spawnSync(process.execPath, [script('bench.mjs'), ...args], { encoding: 'utf8' });
      expect(result.stderr)
        .to.match(/^bench: .*\n$/)
        .and.contain(message);
      expect([result.status, result.stdout]).to.deep.equal([status, '']);
    });
  }
});
