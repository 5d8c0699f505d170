/** EFI_STATUS, without the EFI_ prefix. Errors have the highest bit set. UEFI 2.10 appendix D. */
const error = 0x8000_0000_0000_0000n;
export const Status = {
  SUCCESS: 0n,
  LOAD_ERROR: error | 1n,
  INVALID_PARAMETER: error | 2n,
  UNSUPPORTED: error | 3n,
  BAD_BUFFER_SIZE: error | 4n,
  BUFFER_TOO_SMALL: error | 5n,
  NOT_READY: error | 6n,
  DEVICE_ERROR: error | 7n,
  WRITE_PROTECTED: error | 8n,
  OUT_OF_RESOURCES: error | 9n,
  VOLUME_CORRUPTED: error | 10n,
  VOLUME_FULL: error | 11n,
  NO_MEDIA: error | 12n,
  MEDIA_CHANGED: error | 13n,
  NOT_FOUND: error | 14n,
  ACCESS_DENIED: error | 15n,
  NO_RESPONSE: error | 16n,
  NO_MAPPING: error | 17n,
  TIMEOUT: error | 18n,
  NOT_STARTED: error | 19n,
  ALREADY_STARTED: error | 20n,
  ABORTED: error | 21n,
  ICMP_ERROR: error | 22n,
  TFTP_ERROR: error | 23n,
  PROTOCOL_ERROR: error | 24n,
  INCOMPATIBLE_VERSION: error | 25n,
  SECURITY_VIOLATION: error | 26n,
  CRC_ERROR: error | 27n,
  END_OF_MEDIA: error | 28n,
  END_OF_FILE: error | 31n,
  INVALID_LANGUAGE: error | 32n,
  COMPROMISED_DATA: error | 33n,
  IP_ADDRESS_CONFLICT: error | 34n,
  HTTP_ERROR: error | 35n,
  WARN_UNKNOWN_GLYPH: 1n,
  WARN_DELETE_FAILURE: 2n,
  WARN_WRITE_FAILURE: 3n,
  WARN_BUFFER_TOO_SMALL: 4n,
  WARN_STALE_DATA: 5n,
  WARN_FILE_SYSTEM: 6n,
  WARN_RESET_REQUIRED: 7n,
} as const;

const names = new Map<bigint, string>(Object.entries(Status).map(([name, value]) => [value, `EFI_${name}`]));

/** `EFI_NOT_FOUND` for its value; a value without a name in hexadecimal. */
export function statusName(value: bigint): string {
  return names.get(value) ?? `0x${value.toString(16)}`;
}
