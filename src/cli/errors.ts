/** The command line is wrong: exit status 2. The message is one line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'USAGE';
}

/** An input other than a file is unusable: exit status 4. The message is one line. */
export class UnusableInputError extends Error {
  override readonly name = 'UnusableInputError';
  readonly code = 'UNUSABLE';
}
