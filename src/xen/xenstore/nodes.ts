import { XenStoreRefusal } from './refusal.js';

/** What a domain may do with a node. */
export const Right = { NONE: 0, READ: 1, WRITE: 2, OWNER: 4 } as const;

/** One entry of a node's list: the first one names the owner and what all others may do, the rest exceptions. */
export interface Permission {
  readonly domain: number;
  /** Right.READ, Right.WRITE, both or none. */
  readonly rights: number;
}

/** A node; `value` has one character a byte. Nodes are never changed, only replaced. */
export interface StoreNode {
  readonly value: string;
  readonly permissions: readonly Permission[];
  /** Names in the order of their creation. */
  readonly children: readonly string[];
  /** Of the last change; no two changes of the store share one. */
  readonly generation: number;
}

export const privilegedDomain = 0;

export const ownerOf = (node: StoreNode): number => node.permissions[0]?.domain ?? privilegedDomain;

/** What `domain` may do under a list of permissions. Xen docs/misc/xenstore.txt, GET_PERMS. */
export function rightsOf(domain: number, permissions: readonly Permission[]): number {
  const [first, ...exceptions] = permissions;
  if (domain === privilegedDomain || first?.domain === domain) return Right.READ | Right.WRITE | Right.OWNER;
  return (exceptions.find((exception) => exception.domain === domain) ?? first)?.rights ?? Right.NONE;
}

/** The bytes of children in a DIRECTORY reply: names, each with a NUL. */
export const childList = (node: StoreNode): string => node.children.map((name) => `${name}\0`).join('');

/** Bytes that xenstored counts for a node: header, permissions, value, children. */
export function nodeBytes(node: StoreNode): number {
  const children = node.children.reduce((sum, name) => sum + name.length + 1, 0);
  return 24 + 8 * node.permissions.length + node.value.length + children;
}

const letters = 'nrwb'; // by Right.READ and Right.WRITE

/** "n0": a letter and the domain. */
export const permissionText = ({ domain, rights }: Permission): string =>
  `${letters[rights & 3] ?? 'n'}${String(domain | 0)}`;

/** Reads what permissionText writes; the domain as strtol takes it with base 0. Throws XenStoreRefusal. */
export function parsePermission(text: string): Permission {
  const rights = letters.indexOf(text.charAt(0));
  const [, sign, digits] = /^[ \t\n\v\f\r]*([+-]?)(0x[\da-f]+|0[0-7]*|[1-9]\d*)$/i.exec(text.slice(1)) ?? [];
  if (text === '' || rights < 0 || digits === undefined) {
    throw new XenStoreRefusal('EINVAL', `${JSON.stringify(text)} is not a permission such as "r1"`);
  }
  const domain = Number(/^0\d/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return { domain: (sign === '-' ? -domain : domain) >>> 0, rights };
}
