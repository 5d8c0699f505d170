import { gunzipSync } from 'fflate';
import { CodecError, type Codec } from './codec.js';
import { crc32 } from '../../bytes/crc32.js';

/** gzip, one member. RFC 1952; the trailer is CRC-32 and size, 4 bytes little endian each. */
export const gzip: Codec = {
  name: 'gzip',
  magic: [0x1f, 0x8b],
  appendsSize: false,
  unpack(data, size) {
    const output = new Uint8Array(size);
    let unpacked: Uint8Array;
    try {
      unpacked = gunzipSync(data, { out: output });
    } catch (error) {
      throw new CodecError(error instanceof Error ? error.message : 'the stream is damaged');
    }
    if (unpacked.length !== size) {
      throw new CodecError(`it unpacks to ${String(unpacked.length)} bytes, ${String(size)} were announced`);
    }
    const expected = new DataView(data.buffer, data.byteOffset, data.length).getUint32(data.length - 8, true);
    const actual = crc32(unpacked);
    if (actual !== expected) {
      throw new CodecError(
        `its CRC-32 is 0x${actual.toString(16)}, 0x${expected.toString(16)} was announced`,
        data.length - 8,
      );
    }
    return unpacked;
  },
};
