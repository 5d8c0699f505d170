import { VariableAttribute } from '../../firmware-tables/uefi/runtime-services.js';
import type { StoredVariable } from '../firmware/index.js';
import { VariableFormatError } from './errors.js';

const guidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const isHex = (value: unknown): value is string =>
  typeof value === 'string' && value.length % 2 === 0 && /^[0-9a-f]*$/i.test(value);

/** The fields of a variable as somebody wrote them. */
export interface UncheckedVariable {
  readonly guid: unknown;
  readonly name: unknown;
  readonly attributes: unknown;
  readonly data: unknown;
  readonly time?: unknown;
  readonly digest?: unknown;
}

/**
 * A variable with every field of the right form: GUID and hexadecimal in lower case. `where` opens the message.
 * Throws VariableFormatError.
 */
export function checkVariable(value: UncheckedVariable, where: string): StoredVariable {
  const refuse = (what: string): never => {
    throw new VariableFormatError(`${where}: ${what}`);
  };
  const { guid, name, attributes, data, time, digest } = value;
  checkName({ guid, name }, where);
  if (typeof attributes !== 'number' || !Number.isInteger(attributes) || attributes < 0 || attributes > 0xffff_ffff) {
    return refuse('its attributes are no whole number of 32 bits');
  }
  if (!isHex(data)) return refuse('its data are no hexadecimal text of whole bytes');
  if (time !== undefined && !(isHex(time) && time.length === 32)) {
    return refuse('its time is no EFI_TIME: 16 bytes in hexadecimal');
  }
  if (digest !== undefined && !(isHex(digest) && digest.length === 64)) {
    return refuse('its digest is no SHA-256: 32 bytes in hexadecimal');
  }
  return {
    name: name as string,
    guid: (guid as string).toLowerCase(),
    attributes: (attributes & ~VariableAttribute.APPEND_WRITE) >>> 0, // it is of a call, not of a variable
    data: data.toLowerCase(),
    ...(time === undefined ? {} : { time: time.toLowerCase() }),
    ...(digest === undefined ? {} : { digest: digest.toLowerCase() }),
  };
}

/** A vendor GUID and a name that a variable can have. Throws VariableFormatError. */
export function checkName({ guid, name }: { guid: unknown; name: unknown }, where: string): void {
  if (typeof guid !== 'string' || !guidForm.test(guid)) {
    throw new VariableFormatError(`${where}: its guid is no text xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`);
  }
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw new VariableFormatError(`${where}: its name is empty, holds a NUL or is no text`);
  }
}
