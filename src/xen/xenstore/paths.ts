import { xenStorePathMax } from '../../../firmware-tables/xen/xenstore-ring.js';

/** /local/domain/<n>: below it lies what a domain names by a relative path. */
export const domainPath = (domain: number): string => `/local/domain/${String(domain >>> 0)}`;

/** A path as a domain gave it, made absolute. Names of special events ("@...") stay as they are. */
export function absolutePath(domain: number, path: string): string {
  return path.startsWith('/') || path.startsWith('@') ? path : `${domainPath(domain)}/${path}`;
}

/** Whether an absolute path can name a node. Xen docs/misc/xenstore.txt, "Xenstore paths". */
export function isNodePath(path: string): boolean {
  const home = /^\/local\/domain\/\d{1,5}\//.exec(path)?.[0].length ?? 0;
  return path.length <= home + xenStorePathMax && /^(?:\/|(?:\/[\w@-]+)+)$/.test(path);
}

/** The node above; the root's is the root. */
export const parentPath = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';

export const lastName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

export const childPath = (path: string, name: string): string => (path === '/' ? `/${name}` : `${path}/${name}`);

/** Whether `path` is `top` or lies below it. */
export const isWithin = (path: string, top: string): boolean =>
  top === '/' || path === top || path.startsWith(`${top}/`);
