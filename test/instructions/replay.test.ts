import { expect } from 'chai';
import { families } from './cases/index.js';
import { compare, describeState } from './compare.js';
import { fromHex, parseOutcome, stateFingerprint, type RecordedTemplate } from './fixture.js';
import { loadFixtures } from './load-fixtures.js';
import { tiers } from './processor-subject.js';
import { basePattern, initialMemory } from './state.js';
import type { Subject } from './subject.js';
import { initialState, type Template } from './template.js';
import { undefinedFlags, undefinedStatus } from './undefined-flags.js';

const shownFailures = 3;
const base = basePattern();

/** Failures of one template on one subject, as text. */
function replay(subject: Subject, template: Template, recorded: RecordedTemplate): string[] {
  const code = fromHex(recorded.code);
  const failures: string[] = [];
  let states = 0;
  recorded.outcomes.forEach((text, index) => {
    const before = initialState(template, index);
    states = stateFingerprint(before, states);
    const memory = initialMemory(before, base);
    const expected = parseOutcome(before, code.length, text);
    const actual = subject.execute(before, code, memory);
    const wrong = compare({
      before,
      memory,
      code,
      expected,
      actual,
      undefinedFlags: undefinedFlags(template.text, before, expected.fault !== undefined),
      undefinedStatus: undefinedStatus(template.text),
      unspecified: template.unspecified?.(before) ?? [],
    });
    if (wrong.length === 0) return;
    failures.push(
      [`${template.text} [${recorded.code}] #${String(index)}`, ...wrong, describeState(before)].join('\n      '),
    );
  });
  if (states !== recorded.states) {
    throw new Error(
      `${template.text}: the initial states are not those that were recorded; run test/instructions/record`,
    );
  }
  return failures;
}

/** Templates by mnemonic. */
function grouped(templates: readonly Template[]): Map<string, Template[]> {
  const groups = new Map<string, Template[]>();
  for (const template of templates) groups.set(template.mnemonic, [...(groups.get(template.mnemonic) ?? []), template]);
  return groups;
}

for (const tier of tiers) {
  describe(`instructions do what a real processor does, ${tier.name} tier`, () => {
    let subject: Subject;
    before(function () {
      this.timeout(60_000); // compiles the core
      subject = tier.create();
    });
    for (const family of families) {
      describe(family.name, () => {
        const recorded = new Map(loadFixtures(family.name).map((line) => [line.text, line]));
        for (const [mnemonic, templates] of grouped(family.templates)) {
          it(mnemonic, () => {
            const failures = templates.flatMap((template) => {
              const line = recorded.get(template.text);
              if (line === undefined)
                throw new Error(`${template.text} was never recorded; run test/instructions/record`);
              return replay(subject, template, line);
            });
            const total = templates.reduce((sum, { count }) => sum + count, 0);
            const shown = failures.slice(0, shownFailures).join('\n    ');
            if (failures.length > 0)
              expect.fail(
                `${String(failures.length)} of ${String(total)} differ from the real processor\n    ${shown}`,
              );
          });
        }
      });
    }
  });
}
