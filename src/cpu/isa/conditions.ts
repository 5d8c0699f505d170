/** Condition suffixes by their 4-bit encoding. Intel SDM volume 1, appendix B. */
export const conditionNames = [
  'o',
  'no',
  'b',
  'ae',
  'e',
  'ne',
  'be',
  'a',
  's',
  'ns',
  'p',
  'np',
  'l',
  'ge',
  'le',
  'g',
] as const;
