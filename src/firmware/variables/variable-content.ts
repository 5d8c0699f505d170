import { inputKeyBytes, type DefinedVariable } from '../../../firmware-tables/uefi/global-variables.js';

const nodeHeaderBytes = 4;
const endNode = 0x7f;
const endOfPath = 0xff;

/** Whether nodes of `data` lead to the end of a device path within it. UEFI 2.10 section 10.3.1. */
function leadsToEnd(data: Uint8Array): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let at = 0; at + nodeHeaderBytes <= data.length;) {
    const length = view.getUint16(at + 2, true);
    if (length < nodeHeaderBytes || at + length > data.length) return false;
    if (data[at] === endNode && data[at + 1] === endOfPath) return length === nodeHeaderBytes;
    at += length;
  }
  return false;
}

/** EFI_LOAD_OPTION: a description with a NUL, device paths of the length that the header says. UEFI 2.10 section 3.1.3. */
function isLoadOption(data: Uint8Array): boolean {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const pathBytes = view.getUint16(4, true);
  for (let at = 6; at + 2 <= data.length; at += 2) {
    if (view.getUint16(at, true) !== 0) continue;
    const path = at + 2;
    return (
      pathBytes >= nodeHeaderBytes && leadsToEnd(data.slice(path, path + pathBytes)) && path + pathBytes <= data.length
    );
  }
  return false;
}

/** Whether the data is what the specification says of the variable; its size has been checked. */
export function isContent({ content, minimum }: DefinedVariable, data: Uint8Array): boolean {
  switch (content) {
    case 'bytes':
      return true;
    case 'ascii':
      return data.includes(0);
    case 'array':
      return data.length % minimum === 0;
    case 'device-path':
      return leadsToEnd(data);
    case 'key-option':
      return (data.length - minimum) % inputKeyBytes === 0;
    case 'load-option':
      return isLoadOption(data);
  }
}
