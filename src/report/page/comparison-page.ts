import type { ComparisonResult } from '../comparison.js';
import { memoryText } from '../numbers.js';
import { comparisonCards } from './comparison-cards.js';
import { closedOf, joinedOf, runsOf, type Run } from './comparison-data.js';
import { comparisonParts, executedBy, scrubOf } from './comparison-parts.js';
import { coverageRows } from './coverage-picture.js';
import { documentText, type PageAssets } from './document.js';
import { doorName } from './figure.js';
import { listed, slug } from './figures-text.js';
import { functionRows } from './instructions-picture.js';
import { dataElement, html, type Content } from './markup.js';
import { overviewCards } from './overview.js';

/** What `compare --html` writes: the result as one page that needs nothing besides. */
export function comparisonPage(result: ComparisonResult, assets: PageAssets): string {
  const runs = runsOf(result);
  const doors = result.doors.map(({ door }) => door);
  const [first] = runs;
  const images = [...new Set(runs.map(({ image }) => fileName(image.path)))];
  return documentText(
    {
      title: `${listed(images) || 'An image'} through ${listed(doors)}`,
      kind: 'efikit comparison',
      facts: first === undefined ? [] : factsOf(runs, first),
      overview: html`${runs.length > 0 && overviewCards(comparisonCards(runs, joinedOf(result)))} ${closedDoors(result)}`,
      parts: runs.length === 0 ? [] : comparisonParts(result, runs),
      data: dataOf(result, runs),
      version: result.efikit,
    },
    assets,
  );
}

const fileName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

function factsOf(runs: readonly Run[], first: Run): readonly (readonly [string, Content])[] {
  const images = [...new Map(runs.map(({ image }) => [image.sha256, image])).values()];
  const profiles = [...new Set(runs.flatMap(({ profile }) => (profile === undefined ? [] : [profile])))];
  return [
    ...images.map(
      ({ path, kind, sha256 }) =>
        [
          'image',
          html`<code>${path}</code>, ${kind}, sha256 <code title="${sha256}">${sha256.slice(0, 12)}</code>`,
        ] as const,
    ),
    ['command line', html`<code>${first.append}</code>`],
    ['memory', memoryText(first.memory)],
    ...(profiles.length === 0 ? [] : [['profile', listed(profiles)] as const]),
    ...(first.hypercalls === undefined ? [] : [['hypervisor', 'Xen'] as const]),
  ];
}

const closedDoors = (result: ComparisonResult): Content =>
  closedOf(result).map(({ door, closed }) => html`<p class="closed">${doorName(door)} is closed: ${closed}</p>`);

/** What the page's script needs besides what is drawn. */
const dataOf = (result: ComparisonResult, runs: readonly Run[]): Content => [
  dataElement('scrub', runs.map(scrubOf)),
  ...(executedBy(runs).length === 0 ? [] : [dataElement('rows-instructions', functionRows(executedBy(runs)))]),
  ...(joinedOf(result).coverage?.scopes ?? []).flatMap((scope) =>
    scope.functions === undefined ? [] : [dataElement(`rows-coverage-${slug(scope.scope)}`, coverageRows(scope))],
  ),
];
