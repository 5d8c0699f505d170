import { OutputFile, readInput } from '../host/files.js';
import { loadPageAssets } from '../host/page-assets.js';
import { reportPage } from '../report/page/report-page.js';
import { ExitStatus } from '../report/result.js';
import * as option from './boot-options.js';
import { UsageError } from './errors.js';
import type { Arguments, Command } from './options.js';
import { version } from './version.js';

export const report: Command = {
  name: 'report',
  summary: 'Draws the page of a result that was saved with compare --json or ablate --json.',
  operands: 'FILE.json --html FILE',
  options: [option.html],
  examples: [
    'efikit report comparison.json --html comparison.html',
    'efikit compare vmlinuz --json comparison.json && efikit report comparison.json --html comparison.html',
  ],
  run: runReport,
};

function runReport(args: Arguments): Promise<number> {
  const [file, another] = args.operands;
  if (file === undefined) throw new UsageError(`no FILE.json is named; ${args.hint}`);
  if (another !== undefined) throw new UsageError(`one FILE.json only, "${another}" is too many; ${args.hint}`);
  const htmlFile = args.text('html');
  if (htmlFile === undefined) throw new UsageError(`--html FILE is missing: where the page goes; ${args.hint}`);
  const text = new TextDecoder().decode(readInput(file, 'the result'));
  const { html, warning } = reportPage(text, version, loadPageAssets());
  const output = new OutputFile(htmlFile);
  output.write(html);
  output.close();
  if (warning !== undefined) process.stderr.write(`efikit: ${warning}\n`);
  return Promise.resolve(ExitStatus.success);
}
