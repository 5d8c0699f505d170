import { checkInputLog, InputLogError, type TypedBytes } from '../typed-input.js';
import { readInput } from '../host/files.js';
import { UnusableInputError } from './errors.js';

/** What --replay names: a result of `boot --json`, or the list `typed` of one. Throws InputError or UnusableInputError. */
export function readInputLog(file: string): readonly TypedBytes[] {
  const text = new TextDecoder().decode(readInput(file, 'the log of typed input'));
  try {
    return checkInputLog(logOf(JSON.parse(text)));
  } catch (error) {
    if (!(error instanceof InputLogError || error instanceof SyntaxError)) throw error;
    throw new UnusableInputError(`${file}: ${error.message}; give a result of boot --json, or its list "typed"`, {
      cause: error,
    });
  }
}

/** A result without `typed` is of a run in which nothing was typed. */
function logOf(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || !('efikit' in data)) return data;
  return 'typed' in data ? data.typed : [];
}
