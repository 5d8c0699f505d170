import { definedVariables, type DefinedVariable } from '../../../firmware-tables/uefi/global-variables.js';
import { Guid } from '../../../firmware-tables/uefi/guids.js';
import { VariableAttribute as Attribute } from '../../../firmware-tables/uefi/runtime-services.js';
import { Status } from '../../../firmware-tables/uefi/status.js';
import { isContent } from './variable-content.js';
import type { StoredVariable } from './variable-store.js';

export const access = Attribute.BOOTSERVICE_ACCESS | Attribute.RUNTIME_ACCESS;
/** What EDK II 2022.11 counts as attributes; AUTHENTICATED_WRITE_ACCESS, which is deprecated, has a status of its own. */
const attributesMask =
  Attribute.NON_VOLATILE |
  access |
  Attribute.HARDWARE_ERROR_RECORD |
  Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS |
  Attribute.APPEND_WRITE;

/**
 * Refuses attributes that SetVariable never takes. UEFI 2.10 section 8.2.3, in the order of EDK II. Nobody's signature is
 * valid here: there is no authentication yet, so that every authenticated write is a EFI_SECURITY_VIOLATION.
 */
export function refuseSetAttributes(attributes: number): bigint | undefined {
  if (attributes & ~(attributesMask | Attribute.AUTHENTICATED_WRITE_ACCESS)) return Status.INVALID_PARAMETER;
  const deprecated = (attributes & Attribute.AUTHENTICATED_WRITE_ACCESS) !== 0;
  if ((attributes & access) === Attribute.RUNTIME_ACCESS)
    return deprecated ? Status.UNSUPPORTED : Status.INVALID_PARAMETER; // run time needs boot time
  if ((attributes & attributesMask) === Attribute.NON_VOLATILE) return Status.INVALID_PARAMETER;
  if (deprecated) return Status.UNSUPPORTED;
  if (attributes & Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS) return Status.SECURITY_VIOLATION;
  if (attributes & Attribute.HARDWARE_ERROR_RECORD) return Status.INVALID_PARAMETER; // no storage for them
  return undefined;
}

/** Refuses attributes that QueryVariableInfo does not know. UEFI 2.10 section 8.2.4, in the order of EDK II. */
export function refuseQueryAttributes(attributes: number, atRuntime: boolean): bigint | undefined {
  if (attributes === 0) return Status.INVALID_PARAMETER;
  if (attributes & Attribute.AUTHENTICATED_WRITE_ACCESS) return Status.UNSUPPORTED; // deprecated
  if ((attributes & attributesMask) === 0) return Status.UNSUPPORTED;
  if ((attributes & attributesMask) === Attribute.NON_VOLATILE) return Status.INVALID_PARAMETER;
  if ((attributes & access) === Attribute.RUNTIME_ACCESS) return Status.INVALID_PARAMETER;
  if (atRuntime && !(attributes & Attribute.RUNTIME_ACCESS)) return Status.INVALID_PARAMETER;
  const hardware = (attributes & Attribute.HARDWARE_ERROR_RECORD) !== 0;
  if (hardware && !(attributes & Attribute.NON_VOLATILE)) return Status.INVALID_PARAMETER;
  if (hardware || attributes & Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS) return Status.UNSUPPORTED;
  return undefined;
}

/** True for a call that deletes: a size of 0 that is not appended, or no attributes at all. UEFI 2.10 section 8.2.3. */
export function deletes(attributes: number, size: number): boolean {
  return attributes === 0 || (size === 0 && !(attributes & Attribute.APPEND_WRITE));
}

function definition(guid: string, name: string): DefinedVariable | undefined {
  const known = definedVariables.get(guid);
  if (known === undefined) return undefined;
  if (Object.hasOwn(known, name)) return known[name];
  const digits = /[0-9A-F]{4}$/;
  const family = digits.test(name) ? name.replace(digits, '####') : undefined;
  return family !== undefined && Object.hasOwn(known, family) ? known[family] : undefined;
}

/**
 * Refuses a write that the definition of an architectural variable forbids. UEFI 2.10 section 3.3; statuses and their order
 * are EDK II's. `data` is what the guest gave: with APPEND_WRITE the new part alone.
 */
export function refuseDefined(guid: string, name: string, attributes: number, data: Uint8Array): bigint | undefined {
  const variable = definition(guid, name);
  if (variable?.readOnly === 'always') return Status.WRITE_PROTECTED;
  if (!deletes(attributes, data.length)) {
    // A GUID of the specification has the specification's variables and no others.
    if (variable === undefined) return definedVariables.has(guid) ? Status.INVALID_PARAMETER : undefined;
    if ((attributes & ~Attribute.APPEND_WRITE) !== variable.attributes) return Status.INVALID_PARAMETER;
    if (data.length > 0) {
      if (data.length < variable.minimum || data.length > variable.maximum) return Status.INVALID_PARAMETER;
      if (!isContent(variable, data)) return Status.INVALID_PARAMETER;
    }
  }
  return variable?.readOnly === 'valid' ? Status.WRITE_PROTECTED : undefined;
}

/** Keys and signature databases are written with authentication alone, deleted too. UEFI 2.10 section 32.3. */
export function needsAuthentication(guid: string, name: string): boolean {
  return ((definition(guid, name)?.attributes ?? 0) & Attribute.TIME_BASED_AUTHENTICATED_WRITE_ACCESS) !== 0;
}

/**
 * Variables at the start: what the store keeps, and what the firmware makes anew each time: no Secure Boot, no platform
 * key, nothing that an operating system could ask for by OsIndications. UEFI 2.10 section 3.3.
 */
export function variablesAtStart(kept: readonly StoredVariable[] = []): StoredVariable[] {
  const guid: string = Guid.EFI_GLOBAL_VARIABLE;
  const values: Record<string, string> = {
    SetupMode: '01',
    SecureBoot: '00',
    OsIndicationsSupported: '0000000000000000',
  };
  const made = Object.entries(values).map(([name, data]) => ({ name, guid, attributes: access, data }));
  return [...made, ...kept.filter((variable) => variable.guid.toLowerCase() !== guid || !(variable.name in values))];
}
