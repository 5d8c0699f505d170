/** Answers whether the guest comes to its goal with these parts alone. */
export type Oracle<Part> = (kept: readonly Part[]) => Promise<boolean>;

export interface Reduced<Part> {
  readonly kept: readonly Part[];
  /** Questions that the oracle was asked. */
  readonly asked: number;
}

/**
 * A smallest set with which the guest comes to its goal: `needed` is in it, of `others` as little as can be found, in the
 * order of both. With all of them it does come there. The answer is minimal when more parts never do harm: leaving any one
 * of the others out makes it fail. The search is QuickXplain: it asks some log2(others) times for each part that it keeps.
 * Junker, "QuickXplain: Preferred Explanations and Relaxations for Over-Constrained Problems", AAAI 2004.
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
  const more = await explain(needed, true, others);
  return { kept: [...needed, ...more], asked };
}
