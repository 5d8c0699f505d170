import { concatenate } from '../../bytes/concatenate.js';
import { VariableAttribute as Attribute } from '../../../firmware-tables/uefi/runtime-services.js';
import { guidBytes } from '../../../firmware-tables/guid.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { guidName } from '../../../firmware-tables/uefi/guids.js';
import { describeBytes, variableAttributes } from '../log/describe.js';
import type { Firmware } from '../firmware.js';
import { string16Bytes } from '../guest-access.js';
import { service } from '../service.js';
import {
  access,
  deletes,
  needsAuthentication,
  refuseDefined,
  refuseQueryAttributes,
  refuseSetAttributes,
} from '../variables/variable-policy.js';
import { variableBytes, variableHeaderBytes, variableLimits, type Variable } from '../variables/variable-store.js';

const authenticated = Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS | Attribute.AUTHENTICATED_WRITE_ACCESS;

/** A variable that the guest can see now: after ExitBootServices only those with run-time access. */
function visible(fw: Firmware, variable: Variable | undefined): Variable | undefined {
  return variable && (!fw.bootServicesEnded || variable.attributes & Attribute.RUNTIME_ACCESS) ? variable : undefined;
}

/** EFI_RUNTIME_SERVICES.GetVariable(). UEFI 2.10 section 8.2.1. */
const GetVariable = service(
  { VariableName: 'string16', VendorGuid: 'guid', Attributes: 'pointer', DataSize: 'uintnAt', Data: 'pointer' },
  (fw, { VariableName, VendorGuid, Attributes, DataSize, Data }, show) => {
    if (VariableName === undefined || VendorGuid === undefined || DataSize === 0n) return Status.INVALID_PARAMETER;
    const variable = visible(fw, fw.variables.get(VendorGuid, VariableName)); // nobody's name is empty
    if (!variable) return Status.NOT_FOUND;
    const given = fw.guest.readU64(DataSize);
    const size = BigInt(variable.data.length);
    const enough = given >= size;
    if (enough && Data === 0n && size > 0n) return Status.INVALID_PARAMETER;
    if (enough && size > 0n) fw.guest.write(Data, variable.data);
    fw.guest.writeU64(DataSize, size);
    if (Attributes !== 0n) fw.guest.writeU32(Attributes, variable.attributes);
    show('Attributes', variableAttributes(variable.attributes));
    show('DataSize', `0x${size.toString(16)}`);
    if (enough) show('Data', describeBytes(variable.data));
    return enough ? Status.SUCCESS : Status.BUFFER_TOO_SMALL;
  },
);

/** EFI_RUNTIME_SERVICES.GetNextVariableName(). UEFI 2.10 section 8.2.2. */
const GetNextVariableName = service(
  { VariableNameSize: 'uintnAt', VariableName: 'string16At', VendorGuid: 'guidAt' },
  (fw, { VariableNameSize, VariableName, VendorGuid }, show) => {
    if (VariableNameSize === 0n || VariableName === 0n || VendorGuid === 0n) return Status.INVALID_PARAMETER;
    const given = fw.guest.readU64(VariableNameSize);
    if (given < 2n) return Status.INVALID_PARAMETER; // no room for the NUL of the name that comes in
    const limit = Number(given > 65_536n ? 65_536n : given) / 2 - 1;
    const name = fw.guest.readString16(VariableName, Math.floor(limit));
    if (name === undefined) return Status.INVALID_PARAMETER;
    const all = fw.variables.all().filter((variable) => visible(fw, variable));
    let index = 0;
    if (name !== '') {
      const guid = fw.guest.readGuid(VendorGuid);
      index = all.findIndex((variable) => variable.name === name && variable.guid === guid) + 1;
      if (index === 0) return Status.INVALID_PARAMETER;
    }
    const next = all[index];
    if (!next) return Status.NOT_FOUND;
    const bytes = string16Bytes(next.name);
    fw.guest.writeU64(VariableNameSize, BigInt(bytes.length));
    show('VariableNameSize', `0x${bytes.length.toString(16)}`);
    if (given < BigInt(bytes.length)) return Status.BUFFER_TOO_SMALL;
    fw.guest.write(VariableName, bytes);
    fw.guest.write(VendorGuid, guidBytes(next.guid));
    show('VariableName', JSON.stringify(next.name));
    show('VendorGuid', guidName(next.guid));
    return Status.SUCCESS;
  },
);

/** EFI_RUNTIME_SERVICES.SetVariable(). UEFI 2.10 section 8.2.3; the order of the checks is EDK II's. */
const SetVariable = service(
  { VariableName: 'string16', VendorGuid: 'guid', Attributes: 'attributes', DataSize: 'uintn', Data: 'pointer' },
  (fw, { VariableName: name, VendorGuid: guid, Attributes: attributes, DataSize, Data }, show) => {
    if (name === undefined || name === '' || guid === undefined) return Status.INVALID_PARAMETER;
    if (DataSize > 0n && Data === 0n) return Status.INVALID_PARAMETER;
    const refused = refuseSetAttributes(attributes);
    if (refused !== undefined) return refused;
    if (DataSize > BigInt(variableLimits(attributes).largest - nameBytes(name))) return Status.INVALID_PARAMETER;
    const size = Number(DataSize);
    const data = size === 0 ? new Uint8Array() : fw.guest.read(Data, size);
    if (size > 0) show('Data', describeBytes(data));
    const status =
      refuseDefined(guid, name, attributes, data) ??
      refuseExisting(fw, fw.variables.get(guid, name), attributes, needsAuthentication(guid, name));
    return status ?? update(fw, { name, guid, attributes, data });
  },
);

const nameBytes = (name: string): number => (name.length + 1) * 2;

/** Refuses a write because of the variable that is there, seen or not, or because it needs authentication. */
function refuseExisting(
  fw: Firmware,
  existing: Variable | undefined,
  attributes: number,
  authenticates: boolean,
): bigint | undefined {
  if (existing && !visible(fw, existing)) return Status.WRITE_PROTECTED;
  if (existing && attributes !== 0 && (attributes & ~Attribute.APPEND_WRITE) !== existing.attributes)
    return Status.INVALID_PARAMETER;
  if (authenticates) return Status.INVALID_PARAMETER; // the attribute is missing, else we were not here
  return existing && existing.attributes & authenticated ? Status.WRITE_PROTECTED : undefined; // an imported one
}

/** Deletes, creates, replaces or appends; `given` has the attributes and the data of the call. */
function update(fw: Firmware, given: Variable): bigint {
  const { name, guid } = given;
  const existing = fw.variables.get(guid, name);
  const append = (given.attributes & Attribute.APPEND_WRITE) !== 0;
  const attributes = given.attributes & ~Attribute.APPEND_WRITE;
  if (existing && fw.bootServicesEnded && !(existing.attributes & Attribute.NON_VOLATILE))
    return Status.WRITE_PROTECTED;
  if (!existing && append && given.data.length === 0) return Status.SUCCESS; // nothing to append, nothing to create
  if (deletes(given.attributes, given.data.length) || (attributes & access) === 0)
    return existing ? fw.variables.delete(guid, name) : Status.NOT_FOUND;
  const needed = Attribute.NON_VOLATILE | Attribute.RUNTIME_ACCESS;
  if (!existing && fw.bootServicesEnded && (attributes & needed) !== needed) return Status.INVALID_PARAMETER;
  if (existing && !append && sameBytes(existing.data, given.data)) return Status.SUCCESS; // it keeps its place
  const data = existing && append ? concatenate([existing.data, given.data]) : given.data;
  const limits = variableLimits(attributes);
  if (data.length > limits.largest - nameBytes(name)) return Status.INVALID_PARAMETER;
  const freed = existing ? variableBytes(name, existing.data.length) : 0;
  if (fw.variables.usedBytes(attributes) - freed + variableBytes(name, data.length) > limits.storage)
    return Status.OUT_OF_RESOURCES;
  return fw.variables.put({ ...existing, name, guid, attributes, data });
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** EFI_RUNTIME_SERVICES.QueryVariableInfo(). UEFI 2.10 section 8.2.4. */
const QueryVariableInfo = service(
  {
    Attributes: 'attributes',
    MaximumVariableStorageSize: 'pointer',
    RemainingVariableStorageSize: 'pointer',
    MaximumVariableSize: 'pointer',
  },
  (fw, { Attributes, MaximumVariableStorageSize, RemainingVariableStorageSize, MaximumVariableSize }, show) => {
    const pointers = [MaximumVariableStorageSize, RemainingVariableStorageSize, MaximumVariableSize];
    if (pointers.includes(0n)) return Status.INVALID_PARAMETER;
    const refused = refuseQueryAttributes(Attributes, fw.bootServicesEnded);
    if (refused !== undefined) return refused;
    const { storage, largest } = variableLimits(Attributes);
    const remaining = Math.max(0, storage - fw.variables.usedBytes(Attributes));
    const room = Math.max(0, remaining - variableHeaderBytes);
    fw.guest.writeU64(MaximumVariableStorageSize, BigInt(storage));
    fw.guest.writeU64(RemainingVariableStorageSize, BigInt(remaining));
    fw.guest.writeU64(MaximumVariableSize, BigInt(Math.min(largest, room)));
    show('MaximumVariableStorageSize', `0x${storage.toString(16)}`);
    show('RemainingVariableStorageSize', `0x${remaining.toString(16)}`);
    show('MaximumVariableSize', `0x${Math.min(largest, room).toString(16)}`);
    return Status.SUCCESS;
  },
);

/** Variable services. UEFI 2.10 section 8.2. */
export const variableServices = { GetVariable, GetNextVariableName, SetVariable, QueryVariableInfo };
