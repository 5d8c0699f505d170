import { privilegedDomain, Right, type Permission } from './nodes.js';
import { domainPath } from './paths.js';
import type { StoreTree } from './tree.js';

/** The domain as its configuration names it. */
export interface DomainDescription {
  readonly name: string;
  /** In lower case with hyphens. */
  readonly uuid: string;
  /** KiB of memory, the ballooning target and the most there can be. */
  readonly memoryKiB: number;
  /** The domain's number; 1 when not given. */
  readonly domid?: number;
  /** Processors; 1 when not given. */
  readonly vcpus?: number;
  /** Wall clock time at which the domain was built, seconds since 1970; 0 when not given. */
  readonly startTime?: number;
  /** Event channel and guest frame of the store's ring; 1 and 0xfeffc when not given. */
  readonly store?: { readonly port: number; readonly frame: number };
  /** Of the console's ring; 2 and 0xfefff when not given. */
  readonly console?: { readonly port: number; readonly frame: number };
}

const dom0 = { domain: privilegedDomain, transaction: undefined };
const ownedByDom0: readonly Permission[] = [{ domain: privilegedDomain, rights: Right.NONE }];

/** Writes what xenstored and xl 4.17 have in the store when a PVH domU starts. libxl_create.c, libxl_dom.c, libxl_console.c. */
export function writeDomainTree(tree: StoreTree, description: DomainDescription): void {
  const { name, uuid, memoryKiB, domid = 1, vcpus = 1, startTime = 0 } = description;
  const { store = { port: 1, frame: 0xfeffc }, console = { port: 2, frame: 0xfefff } } = description;
  const home = domainPath(domid);
  const readable: readonly Permission[] = [...ownedByDom0, { domain: domid, rights: Right.READ }];
  const owned: readonly Permission[] = [{ domain: domid, rights: Right.NONE }];
  const write = (path: string, value: string) => {
    tree.write(dom0, path, value);
  };
  const make = (path: string, permissions: readonly Permission[]) => {
    write(path, '');
    tree.setPermissions(dom0, path, permissions);
  };
  const writeAll = (path: string, values: Readonly<Record<string, string>>, permissions?: readonly Permission[]) => {
    for (const [key, value] of Object.entries(values)) {
      write(`${path}/${key}`, value);
      if (permissions !== undefined) tree.setPermissions(dom0, `${path}/${key}`, permissions);
    }
  };

  write('/tool/xenstored', '');
  writeAll(domainPath(privilegedDomain), { domid: '0', name: 'Domain-0' });

  // libxl__domain_make: what the guest owns it may write; the rest it may read.
  make(home, readable);
  make(`/vm/${uuid}`, readable);
  make(`/libxl/${String(domid)}`, ownedByDom0);
  make(`/libxl/${String(domid)}/device`, ownedByDom0);
  writeAll(home, { vm: `/vm/${uuid}`, name });
  for (const directory of ['cpu', 'memory', 'device']) make(`${home}/${directory}`, readable);
  make(`${home}/device/suspend/event-channel`, owned);
  make(`${home}/control`, readable);
  for (const control of ['shutdown', 'feature-poweroff', 'feature-reboot', 'feature-suspend', 'sysrq']) {
    make(`${home}/control/${control}`, owned);
  }
  for (const directory of ['data', 'drivers', 'feature', 'attr', 'error']) make(`${home}/${directory}`, owned);
  writeAll(`/vm/${uuid}`, { uuid, name });
  writeAll(`${home}/control`, {
    'platform-feature-multiprocessor-suspend': '1',
    'platform-feature-xs_reset_watches': '1',
  });
  write(`/libxl/${String(domid)}/type`, 'pvh');

  // libxl__build_post
  writeAll(home, {
    'memory/static-max': String(memoryKiB),
    'memory/target': String(memoryKiB),
    'memory/videoram': '0',
    domid: String(domid),
    'store/port': String(store.port),
    'store/ring-ref': String(store.frame),
  });
  for (let vcpu = 0; vcpu < vcpus; vcpu++) write(`${home}/cpu/${String(vcpu)}/availability`, 'online');
  write(`/vm/${uuid}/start_time`, startTime.toFixed(2));

  // libxl__device_console_add for console 0; xenconsoled fills in the terminal.
  const backend = `${domainPath(privilegedDomain)}/backend/console/${String(domid)}/0`;
  const frontend = `${home}/console`;
  make(frontend, readable);
  writeAll(frontend, { backend });
  writeAll(frontend, { 'backend-id': '0' }, [...owned, { domain: privilegedDomain, rights: Right.READ }]);
  const { port, frame } = console;
  const fields = { limit: '1048576', type: 'xenconsoled', output: 'pty', tty: '/dev/pts/0' };
  writeAll(frontend, { ...fields, port: String(port), 'ring-ref': String(frame) }, readable);
  make(backend, readable);
  writeAll(backend, { frontend, 'frontend-id': String(domid), online: '1', state: '1', protocol: 'vt100' });
}
