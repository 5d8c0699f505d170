import { createRequire } from 'node:module';
import { expect } from 'chai';
import { cruise, type ICruiseResult, type IConfiguration } from 'dependency-cruiser';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const configuration = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as IConfiguration;

describe('architecture', function () {
  this.timeout(60_000);

  it('imports run in the directions of the house, in every module', async () => {
    const { forbidden = [], options = {} } = configuration;
    const { output } = await cruise(
      ['src', 'firmware-tables'],
      { ...options, ruleSet: { forbidden }, validate: true },
      undefined,
      { tsConfig: extractTsConfig('tsconfig.json') },
    );
    const { summary } = output as ICruiseResult;
    expect(summary.totalCruised, 'modules cruised').to.be.greaterThan(50);
    expect(summary.totalDependenciesCruised ?? 0, 'imports followed').to.be.greaterThan(100);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)).to.deep.equal([]);
  });
});
