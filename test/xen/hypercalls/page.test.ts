import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { hypercalls } from '../../../src/xen/hypercalls/index.js';
import { root } from '../../support/efikit.js';

describe('docs/xen-hypercalls.md (node --import tsx .ci/xen.mjs writes it)', () => {
  it('lists every hypercall and operation that is declared, and no answer that differs from what Xen gave', () => {
    const page = readFileSync(path.join(root, 'docs/xen-hypercalls.md'), 'utf8');
    const all = page.slice(page.indexOf('## Everything that is answered'));
    for (const { number, name, operations, select } of hypercalls) {
      for (const operation of operations) {
        const cell = select === undefined ? '' : `${operation.name} (${String(operation.number)})`;
        const line = new RegExp(`^\\| ${name} \\(${String(number)}\\) +\\| ${cell.replace(/[()]/g, '\\$&')} +\\|`, 'm');
        expect(all, `${name} ${operation.name}`).to.match(line);
      }
    }
    expect(page).not.to.include('| **');
  });

  it('numbers and operations are declared once each', () => {
    expect(new Set(hypercalls.map(({ number }) => number)).size).to.equal(hypercalls.length);
    for (const { name, operations } of hypercalls) {
      expect(new Set(operations.map(({ number }) => number)).size, name).to.equal(operations.length);
    }
  });
});
