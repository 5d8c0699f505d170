/** Answers whether the guest comes to its goal with these parts alone. */
export type Oracle<Part> = (kept: readonly Part[]) => Promise<boolean>;

export interface Reduced<Part> {
  readonly kept: readonly Part[];
  /** Questions that the oracle was asked. */
  readonly asked: number;
}

/**
 * A smallest set with which the guest comes to its goal, in the order of `needed` and `others`; with all of them it does. No
 * part of the answer can be left out. `needed` are those that are missed by themselves: the search begins with all of them,
 * finds what has to come to them (QuickXplain, some log2(others) questions for each part) and at the end tries to leave out
 * each part of what it has, for one may be missed only while another is there: a file that cannot be read, where one that is
 * not there would do. Junker, "QuickXplain: Preferred Explanations and Relaxations for Over-Constrained Problems", AAAI 2004.
 */
export async function reduce<Part>(
  needed: readonly Part[],
  others: readonly Part[],
  oracle: Oracle<Part>,
): Promise<Reduced<Part>> {
  let asked = 0;
  const comes = (parts: readonly Part[]): Promise<boolean> => {
    asked++;
    return oracle(parts);
  };
  /** What of `rest` is needed beside `kept`; `isNew`: `kept` was not asked for yet. */
  const explain = async (kept: readonly Part[], isNew: boolean, rest: readonly Part[]): Promise<readonly Part[]> => {
    if (isNew && (await comes(kept))) return [];
    if (rest.length <= 1) return rest;
    const middle = rest.length >> 1;
    const [first, second] = [rest.slice(0, middle), rest.slice(middle)];
    const ofSecond = await explain([...kept, ...first], first.length > 0, second);
    const ofFirst = await explain([...kept, ...ofSecond], ofSecond.length > 0, first);
    return [...ofFirst, ...ofSecond];
  };
  let kept: readonly Part[] = [...needed, ...(await explain(needed, true, others))];
  for (let before = -1; before !== kept.length;) {
    before = kept.length;
    for (const part of kept) {
      const fewer = kept.filter((other) => other !== part);
      if (await comes(fewer)) kept = fewer;
    }
  }
  return { kept, asked };
}
