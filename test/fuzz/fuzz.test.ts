import { fuzz } from './generator.js';
import { fuzzers } from './index.js';

const byDefault = 1500;

describe('fuzzing with a fixed seed (npm run fuzz goes on with others)', function () {
  this.timeout(120_000); // seconds; a machine under load takes its time
  for (const fuzzer of fuzzers()) {
    const inputs = fuzzer.fixedInputs ?? byDefault;
    it(`${fuzzer.name}: ${String(inputs)} inputs, only documented errors and statuses, nothing outside guest RAM touched`, () => {
      fuzz(fuzzer, 1, inputs);
    });
  }
});
