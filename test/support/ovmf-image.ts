/** A firmware volume with a variable store, put together field by field and by offsets: PI 1.8 volume 3, VariableFormat.h. */
import { guidBytes } from '../../firmware-tables/guid.js';

export interface ImageRecord {
  readonly name: string;
  readonly guid: string;
  readonly attributes: number;
  readonly data: Uint8Array;
  readonly state: number;
  readonly time?: Uint8Array;
}

/** Bytes of the file and of its variable store in OVMF's two builds. */
export const ovmfSizes = { '2M': [0x20000, 0xe000], '4M': [0x84000, 0x40000] } as const;

export function ovmfImage(
  size: keyof typeof ovmfSizes,
  records: readonly ImageRecord[] = [],
  authenticated = true,
): Uint8Array {
  const [bytes, region] = ovmfSizes[size];
  const image = new Uint8Array(bytes).fill(0xff);
  const view = new DataView(image.buffer);
  image.fill(0, 0, 72 + 28);
  image.set(guidBytes('fff12b8d-7696-4c8b-a985-2747075b4f50'), 16);
  view.setUint32(32, bytes, true);
  image.set(new TextEncoder().encode('_FVH'), 40);
  view.setUint32(44, 0x4feff, true);
  view.setUint16(48, 72, true);
  image[55] = 2;
  view.setUint32(56, bytes / 4096, true);
  view.setUint32(60, 4096, true);
  let sum = 0;
  for (let at = 0; at < 72; at += 2) sum += view.getUint16(at, true);
  view.setUint16(50, -sum & 0xffff, true);
  const kind = authenticated ? 'aaf32c78-947b-439a-a180-2e144ec37792' : 'ddcf3616-3275-4164-98b6-fe85707ffe7d';
  image.set(guidBytes(kind), 72);
  view.setUint32(88, region - 72, true);
  image[92] = 0x5a;
  image[93] = 0xfe;
  let at = 100;
  for (const { name, guid, attributes, data, state, time } of records) {
    const sizes = authenticated ? 36 : 8;
    const header = authenticated ? 60 : 32;
    image.fill(0, at, at + header);
    view.setUint16(at, 0x55aa, true);
    image[at + 2] = state;
    view.setUint32(at + 4, attributes, true);
    if (authenticated && time) image.set(time, at + 16);
    view.setUint32(at + sizes, (name.length + 1) * 2, true);
    view.setUint32(at + sizes + 4, data.length, true);
    image.set(guidBytes(guid), at + sizes + 8);
    at += header;
    for (const character of `${name}\0`) {
      view.setUint16(at, character.charCodeAt(0), true);
      at += 2;
    }
    image.set(data, at);
    at = (at + data.length + 3) & ~3;
  }
  return image;
}
