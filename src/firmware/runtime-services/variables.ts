import { VariableAttribute as Attribute } from '../../../firmware-tables/uefi/runtime-services.js';
import { guidBytes } from '../../../firmware-tables/guid.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { variableAttributes } from '../describe.js';
import type { Firmware } from '../firmware.js';
import { byteCount, string16Bytes } from '../guest-access.js';
import { service } from '../service.js';
import { largestVariableBytes, storageBytes, variableBytes, type Variable } from '../variable-store.js';

const access = Attribute.BOOTSERVICE_ACCESS | Attribute.RUNTIME_ACCESS;
const authenticated = Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS | Attribute.ENHANCED_AUTHENTICATED_ACCESS;
const plain = Attribute.NON_VOLATILE | access;
const known =
  plain |
  authenticated |
  Attribute.AUTHENTICATED_WRITE_ACCESS |
  Attribute.HARDWARE_ERROR_RECORD |
  Attribute.APPEND_WRITE;

/** A variable that the guest can see now: after ExitBootServices only those with run-time access. */
function visible(fw: Firmware, variable: Variable | undefined): Variable | undefined {
  return variable && (!fw.bootServicesEnded || variable.attributes & Attribute.RUNTIME_ACCESS) ? variable : undefined;
}

/** EFI_RUNTIME_SERVICES.GetVariable(). UEFI 2.10 section 8.2.1. */
const GetVariable = service(
  { VariableName: 'string16', VendorGuid: 'guid', Attributes: 'pointer', DataSize: 'uintnAt', Data: 'pointer' },
  (fw, { VariableName, VendorGuid, Attributes, DataSize, Data }, show) => {
    if (VariableName === undefined || VendorGuid === undefined || DataSize === 0n) return Status.INVALID_PARAMETER;
    const variable = visible(fw, fw.variables.get(VendorGuid, VariableName));
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
    return enough ? Status.SUCCESS : Status.BUFFER_TOO_SMALL;
  },
);

/** EFI_RUNTIME_SERVICES.GetNextVariableName(). UEFI 2.10 section 8.2.2. */
const GetNextVariableName = service(
  { VariableNameSize: 'uintnAt', VariableName: 'pointer', VendorGuid: 'pointer' },
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
    if (given < BigInt(bytes.length)) return Status.BUFFER_TOO_SMALL;
    fw.guest.write(VariableName, bytes);
    fw.guest.write(VendorGuid, guidBytes(next.guid));
    show('VariableName', JSON.stringify(next.name));
    return Status.SUCCESS;
  },
);

/** Refuses attributes that no variable of ours may have. `undefined` when they are fine. */
function refuseAttributes(attributes: number): bigint | undefined {
  if (attributes & Attribute.AUTHENTICATED_WRITE_ACCESS) return Status.UNSUPPORTED; // deprecated
  if (attributes & ~known) return Status.INVALID_PARAMETER;
  if (attributes & (authenticated | Attribute.HARDWARE_ERROR_RECORD)) return Status.UNSUPPORTED;
  if ((attributes & access) === Attribute.RUNTIME_ACCESS) return Status.INVALID_PARAMETER; // run time needs boot time
  return undefined;
}

/** EFI_RUNTIME_SERVICES.SetVariable(). UEFI 2.10 section 8.2.3. */
const SetVariable = service(
  { VariableName: 'string16', VendorGuid: 'guid', Attributes: 'attributes', DataSize: 'uintn', Data: 'pointer' },
  (fw, { VariableName: name, VendorGuid: guid, Attributes: attributes, DataSize, Data }) => {
    if (name === undefined || name === '' || guid === undefined) return Status.INVALID_PARAMETER;
    if (DataSize > 0n && Data === 0n) return Status.INVALID_PARAMETER;
    const refused = refuseAttributes(attributes);
    if (refused !== undefined) return refused;
    const append = (attributes & Attribute.APPEND_WRITE) !== 0;
    const lasting = attributes & ~Attribute.APPEND_WRITE;
    const existing = visible(fw, fw.variables.get(guid, name));
    if (fw.bootServicesEnded && existing && !(existing.attributes & Attribute.NON_VOLATILE))
      return Status.WRITE_PROTECTED;
    if (existing && existing.attributes & authenticated) return Status.WRITE_PROTECTED; // imported; only its key's owner
    const deleting = (lasting & access) === 0 || (DataSize === 0n && !append);
    if (deleting) {
      if (!existing) return Status.NOT_FOUND;
      if (lasting !== 0 && lasting !== existing.attributes) return Status.INVALID_PARAMETER;
      return fw.variables.delete(guid, name);
    }
    const runtimeWrite = Attribute.NON_VOLATILE | Attribute.RUNTIME_ACCESS;
    if (fw.bootServicesEnded && (lasting & runtimeWrite) !== runtimeWrite) return Status.INVALID_PARAMETER;
    if (existing && existing.attributes !== lasting) return Status.INVALID_PARAMETER;
    if (append && DataSize === 0n) return Status.SUCCESS; // nothing to append, nothing to create
    if (DataSize > BigInt(largestVariableBytes)) return Status.OUT_OF_RESOURCES;
    return store(
      fw,
      { name, guid, attributes: lasting, data: fw.guest.read(Data, byteCount(DataSize, Data)) },
      existing,
      append,
    );
  },
);

function store(fw: Firmware, variable: Variable, existing: Variable | undefined, append: boolean): bigint {
  const hidden = fw.variables.get(variable.guid, variable.name);
  if (hidden && !existing) return Status.WRITE_PROTECTED; // a boot-time variable of that name, invisible now
  let { data } = variable;
  if (append && existing) {
    data = new Uint8Array(existing.data.length + variable.data.length);
    data.set(existing.data);
    data.set(variable.data, existing.data.length);
  }
  const freed = existing ? variableBytes(existing.name, existing.data.length) : 0;
  const needed = variableBytes(variable.name, data.length);
  if (needed > largestVariableBytes || fw.variables.usedBytes() - freed + needed > storageBytes)
    return Status.OUT_OF_RESOURCES;
  return fw.variables.put({ ...variable, data });
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
    const refused = refuseAttributes(Attributes);
    if (refused !== undefined) return refused;
    if ((Attributes & access) === 0) return Status.INVALID_PARAMETER;
    if (fw.bootServicesEnded && !(Attributes & Attribute.RUNTIME_ACCESS)) return Status.INVALID_PARAMETER;
    const remaining = Math.max(0, storageBytes - fw.variables.usedBytes());
    fw.guest.writeU64(MaximumVariableStorageSize, BigInt(storageBytes));
    fw.guest.writeU64(RemainingVariableStorageSize, BigInt(remaining));
    fw.guest.writeU64(MaximumVariableSize, BigInt(largestVariableBytes));
    show('RemainingVariableStorageSize', `0x${remaining.toString(16)}`);
    return Status.SUCCESS;
  },
);

/** Variable services. UEFI 2.10 section 8.2. */
export const variableServices = { GetVariable, GetNextVariableName, SetVariable, QueryVariableInfo };
