import { realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { codeOf, OutputError } from './console-output.js';
import { hostStoreFiles, type StoreHandle } from './store-files.js';

/**
 * Writes a file that may be there: the old one stands until the new one is complete and on the medium. What is no regular
 * file (a terminal, a pipe) is written to. Throws OutputError.
 */
export function replaceFile(file: string, content: Uint8Array): void {
  try {
    const status = statSync(file, { throwIfNoEntry: false });
    if (status !== undefined && !status.isFile()) writeFileSync(file, content);
    else replaceRegular(status === undefined ? file : realpathSync(file), content);
  } catch (error) {
    throw new OutputError(file, codeOf(error));
  }
}

function replaceRegular(file: string, content: Uint8Array): void {
  const folder = path.dirname(file);
  const partial = path.join(folder, `.${path.basename(file)}.${String(process.pid)}.partial`);
  hostStoreFiles.remove(partial);
  let handle: StoreHandle | undefined;
  try {
    handle = hostStoreFiles.create(partial, file);
    for (let at = 0; at < content.length;) at += handle.write(content.subarray(at), at);
    handle.sync();
    hostStoreFiles.rename(partial, file);
  } catch (error) {
    hostStoreFiles.remove(partial);
    throw error;
  } finally {
    handle?.close();
  }
  hostStoreFiles.syncFolder(folder);
}
