// Names of the core's functions by their index, from its export section. WebAssembly specification, section 5.5.10.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../sources.mjs';

let names;

/** Exported names by function index; empty when the build has no core. */
export function coreFunctions() {
  if (names !== undefined) return names;
  names = new Map();
  try {
    read(readFileSync(path.join(root, 'dist/processor/core.wasm')));
  } catch {
    // the functions keep their numbers
  }
  return names;
}

function read(bytes) {
  let at = 8; // magic and version
  const number = () => {
    let [value, shift, byte] = [0, 0, 0x80];
    for (; byte & 0x80; shift += 7) value += ((byte = bytes[at++]) & 0x7f) * 2 ** shift;
    return value;
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const end = number() + at;
    for (let left = section === 7 ? number() : 0; left > 0; left--) {
      const length = number();
      const name = bytes.toString('utf8', at, at + length);
      at += length;
      const kind = bytes[at++];
      const index = number();
      if (kind === 0) names.set(index, name);
    }
    at = end;
  }
}
