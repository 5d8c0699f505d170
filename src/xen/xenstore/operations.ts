import { xenStorePayloadMax, XsdType } from '../../../firmware-tables/xen/xenstore-ring.js';
import type { StoreConnection } from './connection.js';
import { childList, parsePermission, permissionText, Right, type StoreNode } from './nodes.js';
import { absolutePath, domainPath } from './paths.js';
import { quotas } from './quotas.js';
import { XenStoreRefusal } from './refusal.js';
import type { Transaction } from './transaction.js';
import type { StoreTree } from './tree.js';

/** A request of a domain. Payloads have one character a byte. */
interface Request {
  readonly tree: StoreTree;
  readonly connection: StoreConnection;
  readonly domain: number;
  readonly transaction: Transaction | undefined;
  readonly payload: string;
}

/** The payload of the reply, and what happens when the reply was sent. */
interface Answer {
  readonly payload: string;
  readonly then?: () => void;
}

interface Operation {
  readonly name: keyof typeof XsdType;
  /** tx_id is not looked at. */
  readonly outsideTransactions?: true;
  /** Throws XenStoreRefusal. */
  readonly run: (request: Request) => Answer;
}

const ok: Answer = { payload: 'OK\0' };

/** The strings of a payload that end with a NUL; bytes behind the last NUL are not looked at. */
const strings = (payload: string): string[] => payload.split('\0').slice(0, -1);

/** A payload of exactly one string. */
function onePath({ payload }: Request): string {
  const [path] = strings(payload);
  if (path === undefined || path.length + 1 !== payload.length) {
    throw new XenStoreRefusal('EINVAL', 'the payload is not one string that ends with a NUL');
  }
  return path;
}

/** A payload of two strings. */
function twoStrings({ payload }: Request): [string, string] {
  const [first, second, ...more] = strings(payload);
  if (first === undefined || second === undefined || more.length > 0) {
    throw new XenStoreRefusal('EINVAL', 'the payload is not two strings that end with a NUL');
  }
  return [first, second];
}

/** As atoi: the digits that a string begins with, as 32 bits. */
function leadingNumber(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)/.exec(text)?.[1] ?? '0';
  return Number(BigInt.asUintN(32, BigInt(digits)));
}

function readNode(request: Request, path: string): StoreNode {
  return request.tree.read(request, absolutePath(request.domain, path), Right.READ);
}

/** Children from an offset of the list on, behind the node's generation; an empty string closes the last part. */
function directoryPart(request: Request): string {
  const [path, offset] = twoStrings(request);
  const node = readNode(request, path);
  const list = childList(node);
  const generation = `${String(node.generation)}\0`;
  const rest = list.slice(leadingNumber(offset));
  const room = xenStorePayloadMax - generation.length - 1;
  if (rest.length <= room) return `${generation}${rest}\0`;
  return generation + rest.slice(0, rest.lastIndexOf('\0', room - 1) + 1);
}

function setPermissions(request: Request): Answer {
  const [path, ...texts] = strings(request.payload);
  if (path === undefined || texts.length === 0) {
    throw new XenStoreRefusal('EINVAL', 'the payload is not a path and permissions');
  }
  if (texts.length > quotas.permissions) {
    throw new XenStoreRefusal('ENOSPC', `a node may have ${String(quotas.permissions)} permissions`);
  }
  const permissions = texts.map(parsePermission);
  const owner = permissions[0]?.domain;
  if (owner !== 0 && owner !== request.domain) {
    throw new XenStoreRefusal('ENOENT', `there is no domain ${String(owner)}`);
  }
  if (path.startsWith('@')) {
    const special = path === '@introduceDomain' || path === '@releaseDomain';
    throw new XenStoreRefusal(special ? 'EACCES' : 'EINVAL', path);
  }
  request.tree.setPermissions(request, absolutePath(request.domain, path), permissions);
  return ok;
}

function endTransaction(request: Request): Answer {
  const { tree, connection, transaction } = request;
  const how = onePath(request);
  if (how !== 'T' && how !== 'F') throw new XenStoreRefusal('EINVAL', 'neither "T" nor "F"');
  if (transaction === undefined) throw new XenStoreRefusal('ENOENT', 'no transaction');
  connection.endTransaction(transaction);
  if (how === 'T') tree.commit({ domain: request.domain, transaction: undefined }, transaction);
  return ok;
}

const dom0Operations = ['CONTROL', 'INTRODUCE', 'RELEASE', 'IS_DOMAIN_INTRODUCED', 'RESUME', 'SET_TARGET'] as const;

const refused = (): Answer => {
  throw new XenStoreRefusal('EACCES', 'for dom0 alone');
};

const acknowledged =
  (run: (request: Request, path: string) => void) =>
  (request: Request): Answer => {
    run(request, absolutePath(request.domain, onePath(request)));
    return ok;
  };

/** What a domain may ask. Xen docs/misc/xenstore.txt. */
const operationList: readonly Operation[] = [
  { name: 'READ', run: (request) => ({ payload: readNode(request, onePath(request)).value }) },
  {
    name: 'WRITE',
    run: (request) => {
      const [path] = strings(request.payload);
      if (path === undefined) throw new XenStoreRefusal('EINVAL', 'the path does not end with a NUL');
      request.tree.write(request, absolutePath(request.domain, path), request.payload.slice(path.length + 1));
      return ok;
    },
  },
  {
    name: 'MKDIR',
    run: acknowledged((request, path) => {
      request.tree.makeDirectory(request, path);
    }),
  },
  {
    name: 'RM',
    run: acknowledged((request, path) => {
      request.tree.remove(request, path);
    }),
  },
  { name: 'DIRECTORY', run: (request) => ({ payload: childList(readNode(request, onePath(request))) }) },
  { name: 'DIRECTORY_PART', run: (request) => ({ payload: directoryPart(request) }) },
  {
    name: 'GET_PERMS',
    run: (request) => ({
      payload: readNode(request, onePath(request))
        .permissions.map((permission) => `${permissionText(permission)}\0`)
        .join(''),
    }),
  },
  { name: 'SET_PERMS', run: setPermissions },
  {
    name: 'WATCH',
    outsideTransactions: true,
    run: (request) => ({ ...ok, then: request.connection.watch(...twoStrings(request)) }),
  },
  {
    name: 'UNWATCH',
    outsideTransactions: true,
    run: (request) => {
      request.connection.unwatch(...twoStrings(request));
      return ok;
    },
  },
  {
    name: 'TRANSACTION_START',
    run: ({ connection, transaction }) => {
      if (transaction !== undefined) throw new XenStoreRefusal('EBUSY', 'transactions do not nest');
      return { payload: `${String(connection.startTransaction())}\0` };
    },
  },
  { name: 'TRANSACTION_END', run: endTransaction },
  {
    name: 'GET_DOMAIN_PATH',
    run: (request) => ({ payload: `${domainPath(leadingNumber(onePath(request)))}\0` }),
  },
  {
    name: 'RESET_WATCHES',
    run: ({ connection }) => {
      connection.reset();
      return ok;
    },
  },
  ...dom0Operations.map((name): Operation => ({ name, outsideTransactions: true, run: refused })),
];

/** By the type of the message. */
export const operations: ReadonlyMap<number, Operation> = new Map(
  operationList.map((operation) => [XsdType[operation.name], operation]),
);
