// Loaded into a profiled process (node --import): gives each WebAssembly module a name, which V8 puts into the URL of its
// functions, so that a profile tells the modules apart. WebAssembly specification, appendix: name section, subsection 0.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TextEncoder } from 'node:util';

const { WebAssembly } = globalThis;
const dist = path.dirname(process.argv[1]);
const known = { core: 'processor/core.wasm', cold: 'processor/cold.wasm', iced: 'iced_x86_bg.wasm' };
const sizes = new Map();
for (const [name, file] of Object.entries(known)) {
  try {
    sizes.set(readFileSync(path.join(dist, file)).length, name);
  } catch {
    // the build has no such file: its functions count as hot code
  }
}

/** The module's bytes with a name section behind them: a known module's own name, "hot" for what is made at run time. */
function named(source) {
  const bytes = source instanceof ArrayBuffer ? new Uint8Array(source) : source;
  if (!(bytes instanceof Uint8Array)) return source;
  const name = new TextEncoder().encode(`efikit.${sizes.get(bytes.length) ?? 'hot'}`);
  const subsection = [0, name.length + 1, name.length, ...name];
  const body = [4, ...new TextEncoder().encode('name'), ...subsection];
  const section = Uint8Array.of(0, body.length, ...body); // every length is below 128
  const all = new Uint8Array(bytes.length + section.length);
  all.set(bytes);
  all.set(section, bytes.length);
  return all;
}

WebAssembly.Module = new Proxy(WebAssembly.Module, {
  construct: (target, [bytes, ...rest]) => Reflect.construct(target, [named(bytes), ...rest], target),
});
const { compile, instantiate } = WebAssembly;
WebAssembly.compile = (bytes, ...rest) => compile(named(bytes), ...rest);
WebAssembly.instantiate = (what, ...rest) => instantiate(named(what), ...rest);
