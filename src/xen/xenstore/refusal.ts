/** The errors that an ERROR reply may name: xsd_errors of Xen public/io/xs_wire.h. */
export type XsError =
  | 'EINVAL'
  | 'EACCES'
  | 'EEXIST'
  | 'EISDIR'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'EIO'
  | 'ENOTEMPTY'
  | 'ENOSYS'
  | 'EROFS'
  | 'EBUSY'
  | 'EAGAIN'
  | 'EISCONN'
  | 'E2BIG'
  | 'EPERM';

/** A request that the store refuses; `code` is what the ERROR reply says. */
export class XenStoreRefusal extends Error {
  override readonly name = 'XenStoreRefusal';

  constructor(
    readonly code: XsError,
    what: string,
  ) {
    super(`${code}: ${what}`);
  }
}
