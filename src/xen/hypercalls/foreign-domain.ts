import type { Domain } from '../domain.js';
import { Errno } from '../errno.js';
import { domidSelf } from '../event-channels/index.js';

/**
 * Why an operation may not name that domain; undefined when it is the caller. Domain 0 exists and is not the caller's to
 * ask about (`control`); others do not exist.
 */
export function foreign(domain: Domain, domid: number, control: number = Errno.EPERM): number | undefined {
  if (domid === domidSelf || domid === domain.number) return undefined;
  return domid === 0 ? control : Errno.ESRCH;
}
