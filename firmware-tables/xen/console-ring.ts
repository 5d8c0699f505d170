import { bytes, struct, u32 } from '../layout.js';

/**
 * struct xencons_interface: the page that the guest's console shares with the toolstack. The indices run freely modulo
 * 2^32; the byte of index i lies at i modulo the ring's length. Xen public/io/console.h.
 */
export const ConsoleInterface = struct('xencons_interface', 3088, [
  bytes('in', 1024), // to the guest
  bytes('out', 2048), // from the guest
  u32('in_cons'), // the guest's
  u32('in_prod'),
  u32('out_cons'),
  u32('out_prod'), // the guest's
]);
