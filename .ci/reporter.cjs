// mocha's spec reporter, closed by one plain line for scripts.
const { reporters } = require('mocha');

module.exports = class extends reporters.Spec {
  epilogue() {
    super.epilogue();
    const { passes, failures } = this.stats;
    process.stdout.write(`${passes} passed, ${failures} failed\n`);
    process.send?.({ passes, failures });
  }
};
