// Puts the samples of a CPU profile under the lines of budgets.mjs.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { coreFunctions } from './core-functions.mjs';

/** Source files, as the bundle names them in its comments, to lines of the whole boot. The first that fits counts. */
const sources = [
  [/^node_modules\/iced-x86\/|^src\/cpu\/iced/, 'iced'],
  [/^node_modules\/(fflate|zstddec)\/|^src\/loaders\//, 'unpack'],
  [/^src\/cpu\/(hot|ir|wasm|isa)\//, 'generate'],
  [/^src\/cpu\/(decoder|blocks)|^src\/cpu\/\w*decode|^src\/cpu\/register-addresses/, 'decode'],
  [/^src\/cpu\//, 'loop'],
  [/^src\/(devices\/|platform|events)/, 'devices'],
  [/^src\/(firmware|xen)/, 'firmware'],
  [/^src\/(probe|report|cli|host)\/|^src\/(digest|typed-input)|^node_modules\/@xterm\//, 'command'],
];

/** The source file of each line of a bundle: esbuild writes "// FILE" before what it took from FILE. */
class Bundle {
  marks = [];

  constructor(url) {
    const file = url.startsWith('file:') ? fileURLToPath(url) : url;
    if (!existsSync(file)) return;
    readFileSync(file, 'utf8')
      .split('\n')
      .forEach((text, line) => {
        const source = /^\/\/ ((?:src|firmware-tables|node_modules)\/\S+)$/.exec(text)?.[1];
        if (source !== undefined) this.marks.push({ line, source });
      });
  }

  sourceOf(line) {
    return this.marks.findLast((mark) => mark.line < line)?.source;
  }
}

const bundles = new Map();
function sourceOf({ url, lineNumber }) {
  if (!bundles.has(url)) bundles.set(url, new Bundle(url));
  return bundles.get(url).sourceOf(lineNumber);
}

const wasmName = ({ url }) => (url.startsWith('wasm:') ? (/efikit\.(\w+)/.exec(url)?.[1] ?? 'hot') : undefined);
/** A module's own code: anonymous, or named by the bundle after its file. */
const isTopLevel = ({ functionName }) =>
  functionName === '' || /^(__\w+$|(src|firmware-tables|node_modules)\/)/.test(functionName);
const isNative = ({ url }) => url === '' || url.startsWith('node:');

/** The line of one node of the profile; `caller` is the line and source of the nearest caller that has a source. */
function lineOf(frame, caller) {
  if (frame.functionName === '(garbage collector)') return { line: 'garbage' };
  const module = wasmName(frame);
  if (module === 'iced') return { line: 'iced' };
  if (module === 'hot' && caller.line === 'unpack') return { line: 'unpack' };
  if (module !== undefined) return { line: module, source: module };
  if (isNative(frame)) {
    const makesModule = /^(Module|Instance|compile|instantiate)$/.test(frame.functionName);
    if (makesModule && caller.line === 'generate') return { line: 'compile' };
    if (makesModule && caller.line === 'loop') return { line: 'own' };
    if (frame.url.startsWith('node:') && caller.source === undefined) return { line: 'node modules' };
    return { line: caller.line };
  }
  const source = sourceOf(frame);
  if (source === undefined && caller.source !== undefined) return { line: caller.line }; // the probe
  const line = sources.find(([pattern]) => pattern.test(source))?.[1] ?? 'rest';
  if (line !== 'iced' && isTopLevel(frame)) return { line: 'modules', source };
  return { line, source };
}

/** Lines of all nodes, by id. */
function linesOf(nodes) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const lines = new Map();
  const visit = (node, caller) => {
    const own = lineOf(node.callFrame, caller);
    lines.set(node.id, own.line);
    const next = own.source === undefined ? caller : { line: own.line, source: own.source };
    for (const id of node.children ?? []) visit(byId.get(id), next);
  };
  visit(nodes[0], { line: 'rest', source: undefined });
  return lines;
}

/** What a line of the whole boot is called before the first guest instruction. */
const beforeGuest = {
  iced: 'iced',
  own: 'own',
  unpack: 'unpack',
  garbage: 'garbage',
  modules: 'modules',
  'node modules': 'modules',
};
/** What a line is called after it. */
const inGuest = { iced: 'decode', own: 'rest', unpack: 'rest', modules: 'rest', 'node modules': 'rest' };

/** "source function"; a core function's exported name where it has one. */
function labelOf(frame) {
  const index = /^wasm-function\[(\d+)\]$/.exec(frame.functionName)?.[1];
  const exported = wasmName(frame) === 'core' ? coreFunctions().get(Number(index)) : undefined;
  return `${wasmName(frame) ?? sourceOf(frame) ?? frame.url} ${exported ?? (frame.functionName || '(top level)')}`;
}

/**
 * Seconds by line, before the first sample in guest code and from it on, and the profile's first moment (the host's
 * monotonic clock, seconds). `functions` are the longest, by "source function".
 */
export function classify(profile) {
  const { nodes, samples, timeDeltas } = profile;
  const lines = linesOf(nodes);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const firstInGuest = samples.findIndex((id) => ['cold', 'hot'].includes(lines.get(id)));
  const first = firstInGuest < 0 ? samples.length : firstInGuest;
  const [before, after, functions] = [{}, {}, new Map()];
  let startUpSeconds = 0;
  samples.forEach((id, i) => {
    // A sample stands for the time until the next one.
    const seconds = (timeDeltas[i + 1] ?? 0) / 1e6;
    const line = lines.get(id);
    const isBefore = i < first;
    const [into, name] = isBefore ? [before, beforeGuest[line] ?? 'rest'] : [after, inGuest[line] ?? line];
    into[name] = (into[name] ?? 0) + seconds;
    if (isBefore) startUpSeconds += seconds;
    const { callFrame } = byId.get(id);
    const label = labelOf(callFrame);
    functions.set(label, (functions.get(label) ?? 0) + seconds);
  });
  const toFirstSample = (timeDeltas[0] ?? 0) / 1e6;
  before.modules = (before.modules ?? 0) + toFirstSample;
  return {
    before,
    after,
    startUpSeconds: startUpSeconds + toFirstSample,
    startedAt: profile.startTime / 1e6,
    functions: [...functions].sort((a, b) => b[1] - a[1]),
  };
}
