import { CodecError, type Codec } from './codec.js';
export const xz: Codec = {
  name: 'XZ',
  magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  appendsSize: true,
  unpack() {
    throw new CodecError('to be written');
  },
};
