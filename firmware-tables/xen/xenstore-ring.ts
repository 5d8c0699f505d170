import { bytes, struct, u32 } from '../layout.js';

/**
 * struct xenstore_domain_interface: the page that the guest shares with xenstored. The indices run freely modulo 2^32;
 * the byte of index i lies at i modulo 1024. Xen public/io/xs_wire.h, docs/misc/xenstore-ring.txt.
 */
export const XenStoreInterface = struct('xenstore_domain_interface', 2080, [
  bytes('req', 1024), // from the guest
  bytes('rsp', 1024), // replies and watch events
  u32('req_cons'),
  u32('req_prod'), // the guest's
  u32('rsp_cons'), // the guest's
  u32('rsp_prod'),
  u32('server_features'),
  u32('connection'),
  u32('error'),
  u32('evtchn_port'), // of a domain that was built without a toolstack (dom0less); else 0
]);

/** Bits of server_features. */
export const XenStoreFeature = { RECONNECTION: 1, ERROR: 2 } as const;
/** Values of connection: the guest sets RECONNECT, the server CONNECTED. */
export const XenStoreConnection = { CONNECTED: 0, RECONNECT: 1 } as const;
/** Values of error. */
export const XenStoreRingError = { NONE: 0, COMM: 1, RINGIDX: 2, PROTO: 3 } as const;

/** struct xsd_sockmsg: opens every message; `len` bytes follow. Xen public/io/xs_wire.h. */
export const XsdSockmsg = struct('xsd_sockmsg', 16, [u32('type'), u32('req_id'), u32('tx_id'), u32('len')]);

/** enum xsd_sockmsg_type. */
export const XsdType = {
  CONTROL: 0,
  DIRECTORY: 1,
  READ: 2,
  GET_PERMS: 3,
  WATCH: 4,
  UNWATCH: 5,
  TRANSACTION_START: 6,
  TRANSACTION_END: 7,
  INTRODUCE: 8,
  RELEASE: 9,
  GET_DOMAIN_PATH: 10,
  WRITE: 11,
  MKDIR: 12,
  RM: 13,
  SET_PERMS: 14,
  WATCH_EVENT: 15,
  ERROR: 16,
  IS_DOMAIN_INTRODUCED: 17,
  RESUME: 18,
  SET_TARGET: 19,
  RESET_WATCHES: 21,
  DIRECTORY_PART: 22,
} as const;

/** XENSTORE_PAYLOAD_MAX: bytes of a message behind its header. */
export const xenStorePayloadMax = 4096;
/** XENSTORE_REL_PATH_MAX: characters of a path, below /local/domain/<n>/ where it lies there. */
export const xenStorePathMax = 2048;
