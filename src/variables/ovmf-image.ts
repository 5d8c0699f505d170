/**
 * OVMF_VARS.fd, of 2M and 4M builds (0x20000 and 0x84000 bytes): a firmware volume whose first part is a variable store.
 * MdeModulePkg VariableFormat.h. Behind it EDK II has its working and spare space of a write in progress.
 */
import { fromHex, toHex } from '../../firmware-tables/hex.js';
import {
  AuthenticatedVariableHeader,
  FirmwareVolumeHeader,
  firmwareVolumeSignature,
  systemNvDataGuid,
  VariableHeader,
  variableStartId,
  variableStates,
  VariableStoreHeader,
  variableStoreFormatted,
  variableStoreGuids,
  variableStoreHealthy,
  WorkingBlockHeader,
  workingBlockGuid,
} from '../../firmware-tables/uefi/variable-storage.js';
import type { StoredVariable } from '../firmware/index.js';
import { checkVariable } from './check-variable.js';
import { VariableFormatError } from './errors.js';

const alignment = 4; // bytes, of each record's header
const erased = 0xff;
const block = 0x1000; // bytes, of flash
const noTime = '00'.repeat(16);

/** Where an image has its records. Offsets are bytes from its start. */
interface Region {
  readonly start: number;
  readonly end: number;
  readonly authenticated: boolean;
}

/** The variables of an image, in its order; deleted and half-written ones left out. Throws VariableFormatError. */
export function readOvmfImage(image: Uint8Array): StoredVariable[] {
  const all = [...records(image, findRegion(image))];
  // As EDK II looks a name up: the first that is whole, else the last whose successor is not.
  const found = new Map<string, StoredVariable>();
  for (const state of [variableStates.added, variableStates.inDeletedTransition]) {
    const those = all.filter((record) => record.state === state);
    const wanted = state === variableStates.added ? those : those.reverse();
    for (const { variable } of wanted) {
      const key = `${variable.guid} ${variable.name}`;
      if (!found.has(key)) found.set(key, variable);
    }
  }
  const standing = new Set(found.values());
  return all.map(({ variable }) => variable).filter((variable) => standing.has(variable));
}

function* records(
  image: Uint8Array,
  { start, end, authenticated }: Region,
): Generator<{ readonly variable: StoredVariable; readonly state: number }> {
  const layout = authenticated ? AuthenticatedVariableHeader : VariableHeader;
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  let at = start;
  while (at + layout.size <= end && view.getUint16(at, true) === variableStartId) {
    const where = `the variable at offset 0x${at.toString(16)}`;
    const header = authenticated
      ? AuthenticatedVariableHeader.decode(image, at)
      : { ...VariableHeader.decode(image, at), TimeStamp: undefined };
    if (header.NameSize === 0xffff_ffff || header.DataSize === 0xffff_ffff) {
      at += layout.size; // the header was being written
      break;
    }
    const nameAt = at + layout.size;
    const dataAt = nameAt + header.NameSize;
    const next = dataAt + header.DataSize;
    if (next > end) {
      throw new VariableFormatError(
        `${where}: NameSize ${String(header.NameSize)} and DataSize ${String(header.DataSize)} lead out of the store, which ends at 0x${end.toString(16)}; take an undamaged copy`,
      );
    }
    const { State: state } = header;
    const name = decodeName(image.subarray(nameAt, dataAt));
    if (name === undefined && state !== variableStates.headerValid) {
      throw new VariableFormatError(
        `${where}: no NUL at the end of its name, of NameSize ${String(header.NameSize)}; take an undamaged copy`,
      );
    }
    if (state === variableStates.added || state === variableStates.inDeletedTransition) {
      const time = header.TimeStamp === undefined ? noTime : toHex(header.TimeStamp);
      const fields = {
        guid: header.VendorGuid,
        name,
        attributes: header.Attributes,
        data: toHex(image.subarray(dataAt, next)),
        ...(time === noTime ? {} : { time }),
      };
      yield { variable: checkVariable(fields, where), state };
    }
    at = Math.ceil(next / alignment) * alignment;
  }
  const odd = image.subarray(at, end).findIndex((byte) => byte !== erased);
  if (odd >= 0) {
    throw new VariableFormatError(
      `damaged at offset 0x${at.toString(16)}: no variable begins there, and the store is not empty from there on (offset 0x${(at + odd).toString(16)}); take an undamaged copy, or start OVMF with it once, which drops what is behind`,
    );
  }
}

/**
 * A copy of a template image that holds these variables instead of its own, in their order. Throws VariableFormatError when the template
 * is no image or they do not fit.
 */
export function writeOvmfImage(template: Uint8Array, variables: readonly StoredVariable[]): Uint8Array {
  const region = findRegion(template);
  const image = template.slice();
  image.fill(erased, region.start, region.end);
  let at = region.start;
  for (const variable of variables) {
    const record = encodeRecord(variable, region.authenticated);
    if (at + record.length > region.end) {
      const size = region.end - region.start;
      throw new VariableFormatError(
        `${variable.name} does not fit any more: the image has room for ${String(size)} bytes of variables; delete some, or take a larger template (OVMF_VARS_4M.fd)`,
      );
    }
    image.set(record, at);
    at = Math.ceil((at + record.length) / alignment) * alignment;
  }
  endWrites(image, region.end);
  return image;
}

/** Empties the queue of writes in progress, which OVMF would finish over the variables at its next start. */
function endWrites(image: Uint8Array, from: number): void {
  for (let at = Math.ceil(from / block) * block; at + block <= image.length; at += block) {
    if (WorkingBlockHeader.decode(image, at).Signature !== workingBlockGuid) continue;
    image.fill(erased, at + WorkingBlockHeader.size, at + block);
  }
}

function encodeRecord({ guid, name, attributes, data, time }: StoredVariable, authenticated: boolean): Uint8Array {
  if (!authenticated && time !== undefined) {
    throw new VariableFormatError(
      `${name} is authenticated, and the template's store holds no such variables: take one of an OVMF with Secure Boot`,
    );
  }
  const nameBytes = encodeName(name);
  const content = fromHex(data);
  const fields = {
    StartId: variableStartId,
    State: variableStates.added,
    Attributes: attributes,
    NameSize: nameBytes.length,
    DataSize: content.length,
    VendorGuid: guid,
  };
  const header = authenticated
    ? AuthenticatedVariableHeader.encode({ ...fields, TimeStamp: fromHex(time ?? noTime) })
    : VariableHeader.encode(fields);
  const record = new Uint8Array(header.length + nameBytes.length + content.length);
  record.set(header);
  record.set(nameBytes, header.length);
  record.set(content, header.length + nameBytes.length);
  return record;
}

/** Finds the variable store of an image and checks both headers. */
function findRegion(image: Uint8Array): Region {
  const refuse = (what: string): never => {
    throw new VariableFormatError(`no OVMF_VARS image: ${what}`);
  };
  if (image.length < FirmwareVolumeHeader.size) return refuse(`${String(image.length)} bytes hold no volume header`);
  const volume = FirmwareVolumeHeader.decode(image);
  if (volume.Signature !== firmwareVolumeSignature) return refuse('no "_FVH" at offset 0x28');
  if (volume.FileSystemGuid !== systemNvDataGuid) {
    return refuse(`the volume at offset 0 has the type ${volume.FileSystemGuid}, not variables (an OVMF_CODE image?)`);
  }
  if (volume.FvLength > BigInt(image.length)) {
    return refuse(
      `FvLength at offset 0x20 is ${String(volume.FvLength)}, but the file has ${String(image.length)} bytes: it is cut off`,
    );
  }
  const at = volume.HeaderLength;
  if (at < FirmwareVolumeHeader.size || at % 2 !== 0 || at + VariableStoreHeader.size > image.length) {
    return refuse(`HeaderLength at offset 0x30 is ${String(at)}`);
  }
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  let sum = 0;
  for (let word = 0; word < at; word += 2) sum = (sum + view.getUint16(word, true)) & 0xffff;
  if (sum !== 0) return refuse('Checksum at offset 0x32 does not hold: the header is damaged');
  const store = VariableStoreHeader.decode(image, at);
  const hex = `0x${at.toString(16)}`;
  const authenticated = store.Signature === variableStoreGuids.authenticated;
  if (!authenticated && store.Signature !== variableStoreGuids.plain) {
    return refuse(`the store at offset ${hex} is of the unknown kind ${store.Signature}`);
  }
  if (store.Format !== variableStoreFormatted || store.State !== variableStoreHealthy) {
    return refuse(
      `the store at offset ${hex} is not formatted and healthy (Format ${String(store.Format)}, State ${String(store.State)})`,
    );
  }
  if (store.Size < VariableStoreHeader.size || BigInt(at) + BigInt(store.Size) > volume.FvLength) {
    return refuse(`Size of the store at offset ${hex} is ${String(store.Size)}`);
  }
  return { start: at + VariableStoreHeader.size, end: at + store.Size, authenticated };
}

/** UCS-2 with the NUL at its end and no other; undefined for anything else. */
function decodeName(bytes: Uint8Array): string | undefined {
  let name = '';
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    name += String.fromCharCode((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
  }
  return bytes.length % 2 === 0 && name.indexOf('\0') === name.length - 1 ? name.slice(0, -1) : undefined;
}

function encodeName(name: string): Uint8Array {
  const bytes = new Uint8Array((name.length + 1) * 2);
  for (let i = 0; i < name.length; i++) new DataView(bytes.buffer).setUint16(i * 2, name.charCodeAt(i), true);
  return bytes;
}
