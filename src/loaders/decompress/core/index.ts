// One block of LZ4, unpacked within one memory. LZ4 doc/lz4_Block_format.md. AssemblyScript.
//
// Copies run ahead in steps of 16 bytes: behind the input and behind `limit` at least 64 bytes of the memory must be free.

/** Where the next sequence starts, and where its bytes go to. */
export let from: usize = 0;
export let to: usize = 0;

export const DONE: i32 = 1;
export const MORE: i32 = 0;
export const DAMAGED: i32 = -1;

export function start(input: usize, output: usize): void {
  from = input;
  to = output;
}

// @ts-ignore: decorator
@inline
function copy(target: usize, source: usize, length: usize): void {
  const stop = target + length;
  do {
    v128.store(target, v128.load(source));
    target += 16;
    source += 16;
  } while (target < stop);
}

/** A match that overlaps itself: the bytes of `distance` repeat. */
function repeat(target: usize, distance: usize, length: usize): void {
  const stop = target + length;
  let source = target - distance;
  if (distance == 1) {
    memory.fill(target, load<u8>(source), length);
    return;
  }
  if (distance < 8) {
    for (let i = 0; i < 8; i++) {
      store<u8>(target, load<u8>(source));
      target++;
      source++;
    }
    // The same bytes stand a multiple of the distance earlier, now at least 8 bytes away.
    source = target - ((8 + distance - 1) / distance) * distance;
  }
  while (target < stop) {
    store<u64>(target, load<u64>(source));
    target += 8;
    source += 8;
  }
}

/**
 * Unpacks sequences of the block that ends at `end` until `pause` is reached, which lets V8 put better code in between
 * two calls. A match reaches back to `floor` at most; nothing counts that would go beyond `limit`.
 */
export function run(end: usize, floor: usize, limit: usize, pause: usize): i32 {
  let at = from;
  let out = to;
  while (out < pause) {
    if (at >= end) return DAMAGED;
    const token = load<u8>(at++) as usize;
    let length = token >> 4;
    if (length == 15) {
      let more: usize;
      do {
        if (at >= end) return DAMAGED;
        more = load<u8>(at++);
        length += more;
      } while (more == 255);
    }
    if (at + length > end || out + length > limit) return DAMAGED;
    if (length > 0) copy(out, at, length);
    at += length;
    out += length;
    if (at == end) {
      to = out;
      return DONE; // the last sequence has no match
    }
    if (at + 2 > end) return DAMAGED;
    const distance = load<u16>(at) as usize;
    at += 2;
    length = (token & 15) + 4;
    if (length == 19) {
      let more: usize;
      do {
        if (at >= end) return DAMAGED;
        more = load<u8>(at++);
        length += more;
      } while (more == 255);
    }
    if (distance == 0 || distance > out - floor || out + length > limit) return DAMAGED;
    if (distance >= 16) copy(out, out - distance, length);
    else repeat(out, distance, length);
    out += length;
  }
  from = at;
  to = out;
  return MORE;
}
