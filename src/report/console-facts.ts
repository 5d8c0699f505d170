/** `key: value` lines that a small guest printed, in order. A key may come more than once. */
export interface Fact {
  readonly key: string;
  readonly value: string;
}

const longestReport = 200; // lines
const factLine = /^([a-z][\w /-]{0,40}): (.*)$/;

/** The facts of a console that holds nothing else, as examples/two-doors prints; undefined for any other. */
export function consoleFacts(text: string): Fact[] | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0 || lines.length > longestReport) return undefined;
  const facts = lines.map((line) => factLine.exec(line));
  if (facts.some((fact) => fact === null)) return undefined;
  return facts.flatMap((fact) => (fact === null ? [] : [{ key: fact[1] ?? '', value: fact[2] ?? '' }]));
}

/** A key with the values of each door (several are joined by "; "), and whether all doors say the same. */
export interface ComparedFact {
  readonly key: string;
  readonly values: readonly (string | undefined)[];
  readonly same: boolean;
}

export function compareFacts(columns: readonly (readonly Fact[])[]): ComparedFact[] {
  const keys = [...new Set(columns.flat().map(({ key }) => key))];
  return keys.map((key) => {
    const values = columns.map((facts) => {
      const own = facts.filter((fact) => fact.key === key).map(({ value }) => value);
      return own.length === 0 ? undefined : own.join('; ');
    });
    return { key, values, same: values.every((value) => value === values[0]) };
  });
}
