/** A variable store, or a file to import, cannot be used as it is; the message says where and what to do. */
export class VariableFormatError extends Error {
  override readonly name = 'VariableFormatError';
  readonly code = 'VARIABLE_FORMAT';
}
