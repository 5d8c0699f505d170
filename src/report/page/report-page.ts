import type { AblationReport } from '../../ablate/result.js';
import type { ComparisonResult } from '../comparison.js';
import { ablationPage } from './ablation-page.js';
import { comparisonPage } from './comparison-page.js';
import type { PageAssets } from './document.js';

/** A file is no result that a page can be made of; the message says what to give. */
export class ReportError extends Error {
  override readonly name = 'ReportError';
  readonly code = 'REPORT';
}

/** A page and what is worth saying about it. */
export interface ReportPage {
  readonly html: string;
  /** Set when another version of efikit wrote the result: what this one does not know is left out. */
  readonly warning?: string;
}

/** The page of a saved result of `compare --json` or `ablate --json`. `version` is that of this efikit. Throws ReportError. */
export function reportPage(text: string, version: string, assets: PageAssets): ReportPage {
  const result = parsed(text);
  const draw = drawingOf(result);
  const wrote = result['efikit'];
  const warning = `efikit ${String(wrote)} wrote the result, this is ${version}: what it does not know is left out`;
  try {
    return { html: draw(assets), ...(wrote === version ? {} : { warning }) };
  } catch (error) {
    if (wrote === version || !(error instanceof TypeError)) throw error;
    throw new ReportError(
      `efikit ${String(wrote)} wrote the result, and its form is not that of ${version}: run it anew`,
    );
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ReportError(
      `the file is not JSON (${(error as Error).message}): give what compare or ablate --json wrote`,
    );
  }
  if (typeof value !== 'object' || value === null)
    throw new ReportError('the file holds no result: give what compare or ablate --json wrote');
  return value as Readonly<Record<string, unknown>>;
}

function drawingOf(result: Readonly<Record<string, unknown>>): (assets: PageAssets) => string {
  if (Array.isArray(result['doors']) && typeof result['joined'] === 'object')
    return (assets) => comparisonPage(result as unknown as ComparisonResult, assets);
  if (Array.isArray(result['ablations'])) return (assets) => ablationPage(result as unknown as AblationReport, assets);
  if ('outcome' in result)
    throw new ReportError(
      'the file is the result of boot, which has no page: give what compare or ablate --json wrote',
    );
  throw new ReportError('the file is no result of compare or ablate: give what compare or ablate --json wrote');
}
