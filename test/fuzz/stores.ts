import type { StoredVariable } from '../../src/firmware/index.js';
import { readEfivarfs, writeEfivarfs } from '../../src/variables/efivarfs.js';
import { VariableFormatError } from '../../src/variables/errors.js';
import { readOvmfImage, writeOvmfImage } from '../../src/variables/ovmf-image.js';
import { readQemuJson, writeQemuJson } from '../../src/variables/qemu-json.js';
import { decodeStore, encodeRecord, encodeStore } from '../../src/variables/store-format.js';
import { ovmfImage } from '../support/ovmf-image.js';
import { Generator, type Fuzzer } from './generator.js';

const inputsPerSession = 50;
const guid = '7a9ab5e3-02b6-4d6f-9d1c-55c0f8a1d2e4';
const one = { guid, name: 'One', attributes: 7, data: '0102' };
const odd = { guid, name: '"\ud800/@ ', attributes: 0x27, data: 'ff', time: `${'00'.repeat(15)}01` };
const long = { guid, name: 'Long', attributes: 3, data: '6a'.repeat(700) };
const variables: readonly StoredVariable[] = [one, odd, long];

/** A file of variables, how it is read, and how much of it has content. */
interface Format {
  readonly good: Uint8Array;
  readonly bytes: number;
  readonly read: (bytes: Uint8Array) => void;
}

const textOf = ({ guid: vendor, name, attributes, data, time }: StoredVariable): string =>
  JSON.stringify([vendor, name, attributes, data, time]);
const known = new Set([...variables, { ...one, data: '03' }].map(textOf));

/** What a store with checksums gives out of damaged bytes was once in it. */
function readStore(bytes: Uint8Array): void {
  for (const variable of decodeStore(bytes).variables.all()) {
    if (!known.has(textOf(variable))) throw new Error(`nobody stored ${textOf(variable)}`);
  }
}

function formats(): readonly Format[] {
  const whole = (good: Uint8Array, read: Format['read']): Format => ({ good, bytes: good.length, read });
  const log = [
    encodeStore(variables),
    encodeRecord({ guid, name: 'One', variable: { ...one, data: '03' } }),
    encodeRecord({ guid, name: 'Long', variable: undefined }),
  ];
  const { file, bytes } = writeEfivarfs(one);
  const image = writeOvmfImage(ovmfImage('2M'), variables);
  return [
    whole(Uint8Array.from(Buffer.concat(log)), readStore),
    { good: image, bytes: 1200, read: readOvmfImage },
    whole(new TextEncoder().encode(writeQemuJson(variables)), readQemuJson),
    whole(bytes, (damaged) => readEfivarfs({ file, bytes: damaged })),
  ];
}

function damage(good: Uint8Array, range: number, choose: Generator): Uint8Array {
  const bytes = good.slice();
  for (let times = 1 + choose.below(4); times > 0; times--) {
    const at = choose.below(range);
    const length = 1 + choose.below(40);
    switch (choose.below(5)) {
      case 0:
        bytes[at] = choose.below(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << choose.below(8));
        break;
      case 2:
        bytes.fill(choose.pick([0, 0xff]), at, at + length);
        break;
      case 3:
        bytes.copyWithin(at, choose.below(range), range);
        break;
      default:
        if (choose.once(4)) return bytes.slice(0, at);
    }
  }
  return bytes;
}

/** Damaged stores and files to import: read, or refused with one line. */
export function storeFuzzer(): Fuzzer {
  const all = formats();
  return {
    name: 'stores',
    session(seed) {
      const choose = new Generator(seed);
      for (let i = 0; i < inputsPerSession; i++) {
        const { good, bytes, read } = choose.pick(all);
        try {
          read(damage(good, bytes, choose));
        } catch (error) {
          if (!(error instanceof VariableFormatError)) throw error;
          if (/\p{Cc}/u.test(error.message)) throw new Error(`no clear line: ${error.message}`, { cause: error });
        }
      }
      return inputsPerSession;
    },
  };
}
