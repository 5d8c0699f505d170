import { BootError } from '../../src/boot/boot-protocol.js';
import { efi } from '../../src/boot/efi.js';
import { doors } from '../../src/boot/index.js';
import { linux64 } from '../../src/boot/linux64.js';
import { pvh } from '../../src/boot/pvh.js';
import { Firmware } from '../../src/firmware/index.js';
import { ImageError } from '../../src/loaders/image.js';
import { readImage } from '../../src/loaders/read-image.js';
import { smallBzImage, smallElf, smallPe } from '../support/images.js';
import { GuardedRam } from './guarded-ram.js';
import { PlainHost } from './plain-host.js';
import { extremes, Generator, type Fuzzer } from './generator.js';

const inputsPerSession = 50;
const ramBytes = 2 ** 25;

/** One way to damage an image. */
type Damage = (bytes: Uint8Array, choose: Generator) => Uint8Array;

const flipBits: Damage = (bytes, choose) => {
  for (let flips = 1 + choose.below(8); flips > 0; flips--) {
    const at = choose.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << choose.below(8));
  }
  return bytes;
};

/** A number at its extremes, in a field of the headers. */
const extremeField: Damage = (bytes, choose) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let fields = 1 + choose.below(3); fields > 0; fields--) {
    const at = choose.below(Math.min(bytes.length, 0x280) - 8) & ~1;
    const value = choose.pick(extremes);
    const width = choose.pick([2, 4, 8]);
    if (width === 2) view.setUint16(at, Number(value & 0xffffn), true);
    else if (width === 4) view.setUint32(at, Number(value & 0xffff_ffffn), true);
    else view.setBigUint64(at, value, true);
  }
  return bytes;
};

/** A small change of a number, which keeps most checks content. */
const nudge: Damage = (bytes, choose) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const at = choose.below(Math.min(bytes.length, 0x280) - 8) & ~1;
  view.setUint32(at, (view.getUint32(at, true) + choose.below(0x2001) - 0x1000) >>> 0, true);
  return bytes;
};

const cut: Damage = (bytes, choose) => bytes.slice(0, choose.below(bytes.length + 1));

const copyAround: Damage = (bytes, choose) => {
  const length = 1 + choose.below(64);
  const from = choose.below(bytes.length);
  bytes.copyWithin(choose.below(bytes.length), from, from + length);
  return bytes;
};

const noise: Damage = (bytes, choose) => {
  const at = choose.below(bytes.length);
  bytes.set(choose.bytes(Math.min(bytes.length - at, 1 + choose.below(32))), at);
  return bytes;
};

/** Relocations in the small PE: a directory, and a block of any content. */
const relocations: Damage = (bytes, choose) => {
  if (bytes.length < 0x400) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const directory = 0x40 + 24 + 112 + 5 * 8;
  view.setUint32(directory, 0x1000 + choose.below(4) * 4, true);
  view.setUint32(directory + 4, choose.pick([8, 10, 64, 512, 0x3000, choose.below(0x4000)]), true);
  for (let at = 512; at < 576; at += 2) view.setUint16(at, choose.below(0x1_0000), true);
  if (choose.once(2)) view.setUint32(512, choose.pick([0, 0x1000, 0x3ff8, 0x3fff]), true);
  if (choose.once(2)) view.setUint32(516, choose.pick([0, 8, 12, 64, 0xffff_ffff]), true);
  return bytes;
};

const damages: readonly Damage[] = [flipBits, extremeField, nudge, cut, copyAround, noise, relocations];

/** Damaged PE, ELF and bzImage files: each is refused by one of our errors, in one line, or leads to an entry. */
export function imageFuzzer(): Fuzzer {
  const good = [smallPe(), smallElf(), smallElf({ bits: 32 }), smallBzImage()];
  const ram = new GuardedRam(ramBytes);
  const host = new PlainHost(ram);
  return {
    name: 'images',
    session(seed) {
      const choose = new Generator(seed);
      for (let i = 0; i < inputsPerSession; i++) {
        let bytes: Uint8Array = choose.pick(good).slice();
        for (let times = 1 + choose.below(3); times > 0 && bytes.length > 16; times--) {
          bytes = choose.pick(damages)(bytes, choose);
        }
        knock(bytes, host);
        ram.requireGuard();
      }
      return inputsPerSession;
    },
  };
}

/** Reads an image and enters it by every door that opens. */
function knock(bytes: Uint8Array, host: PlainHost): void {
  try {
    const image = readImage(bytes);
    image.elf();
    for (const door of doors) door.refuses(image);
    const target = { memory: host.memory, rsdp: 0xe0000 };
    for (const door of [pvh, linux64]) {
      if (door.refuses(image) === undefined)
        bootable(() => door.enter(target, image, { commandLine: 'x', modules: [] }));
    }
    if (efi.refuses(image) === undefined) {
      const firmware = new Firmware(host);
      bootable(() => efi.enter({ ...target, firmware }, image, { commandLine: 'x', modules: [] }));
    }
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    requireOneLine(error);
  }
}

function bootable(enter: () => unknown): void {
  try {
    enter();
  } catch (error) {
    if (!(error instanceof BootError)) throw error;
    requireOneLine(error);
  }
}

function requireOneLine(error: Error): void {
  if (error.message.includes('\n')) throw new Error(`the refusal has several lines: ${error.message}`);
}
