// Every row, by name. `load` gives its module, whose measure(say) runs and gives plain data; say(line) tells how far it is.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as prettier from 'prettier';
import { root } from '../../sources.mjs';

export const rows = {
  tables: { what: 'EFI tables without services, through boot_params', load: () => import('./tables.mjs') },
  'xen-table': {
    what: 'start-of-day information from the Xen table and from PVH',
    load: () => import('./xen-table.mjs'),
  },
  kexec: {
    what: 'a second kernel with what the first one leaves of EFI, and without',
    load: () => import('./kexec.mjs'),
  },
  images: { what: 'boot loaders, applications and kernels nobody here wrote', load: () => import('./images.mjs') },
  'load-addresses': {
    what: 'where a PVH blob may load, and what refuses it',
    load: () => import('./load-addresses.mjs'),
  },
  signals: { what: 'hardware_subarch, the tagged image handle, dom0', load: () => import('./signals.mjs') },
  processors: { what: 'secondary processors: what each way would take', load: () => import('./processors.mjs') },
};

export const resultFile = (name) => path.join(root, '.ci/evaluation/rows/results', `${name}.json`);

/** What a row gave when it was last run; undefined when it never was. */
export const keptRow = (name) =>
  existsSync(resultFile(name)) ? JSON.parse(readFileSync(resultFile(name), 'utf8')) : undefined;

/** Runs a row and keeps what it gives. */
export async function measureRow(name, say) {
  const { measure } = await rows[name].load();
  const data = await measure(say);
  const file = resultFile(name);
  mkdirSync(path.dirname(file), { recursive: true });
  const options = { ...(await prettier.resolveConfig(file)), filepath: file };
  writeFileSync(file, await prettier.format(JSON.stringify(data), options));
  return data;
}
