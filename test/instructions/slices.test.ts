import { expect } from 'chai';
import { sequence } from './cases/sequence.js';
import { string } from './cases/string.js';
import { formatOutcome, fromHex } from './fixture.js';
import { loadFixtures } from './load-fixtures.js';
import { buildArtifacts, ProcessorSubject } from './processor-subject.js';
import { seededRandom } from './random.js';
import { basePattern, initialMemory } from './state.js';
import { initialState } from './template.js';

const base = basePattern();

describe('slices of a run never move a boundary', () => {
  let whole: ProcessorSubject;
  let sliced: ProcessorSubject;
  before(function () {
    this.timeout(60_000); // compiles the core
    const random = seededRandom(1);
    whole = new ProcessorSubject('in one run', buildArtifacts());
    sliced = new ProcessorSubject('in slices', buildArtifacts(), () => 1 + random.below(5));
  });
  for (const family of [string, sequence]) {
    it(`${family.name}: the same outcome after the same ticks`, () => {
      const recorded = new Map(loadFixtures(family.name).map(({ text, code }) => [text, code]));
      for (const template of family.templates) {
        const code = fromHex(recorded.get(template.text) as string);
        for (let index = 0; index < template.count; index++) {
          const state = initialState(template, index);
          const memory = initialMemory(state, base);
          const [expected, actual] = [whole, sliced].map((subject) => {
            const outcome = subject.execute(state, code, memory);
            return `${formatOutcome(state, code.length, outcome)} after ${String(subject.ticks)} ticks`;
          });
          expect(actual, `${template.text} #${String(index)}`).to.equal(expected);
        }
      }
    });
  }
});
