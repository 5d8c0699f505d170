// The arguments of 2015 to 2018, in the order of the document.
//
// Each is a file: `{ name, title, by, claim, figures, text }`. `figures(runs)` makes the runs and gives plain data, which is kept in
// docs/evaluation/figures.json; `text(figures)` makes of it `{ figure, body, forEfi, forPvh, open }`: the one figure for the
// overview, paragraphs and tables, what speaks for either side, and what is not measured.
import { abiSurface } from './abi-surface.mjs';
import { code } from './code.mjs';
import { commonPath } from './common-path.mjs';
import { configurationTable } from './configuration-table.mjs';
import { detection } from './detection.mjs';
import { dom0 } from './dom0.mjs';
import { imageHandle } from './image-handle.mjs';
import { kexec } from './kexec.mjs';
import { longMode } from './long-mode.mjs';
import { minimalEnvironment } from './minimal-environment.mjs';
import { ovmf } from './ovmf.mjs';
import { patch } from './patch.mjs';
import { processors } from './processors.mjs';
import { subarch } from './subarch.mjs';
import { systems } from './systems.mjs';
import { tables } from './tables.mjs';
import { tools } from './tools.mjs';

export const evaluated = [
  minimalEnvironment,
  patch,
  abiSurface,
  code,
  commonPath,
  longMode,
  detection,
  configurationTable,
  kexec,
  tools,
  ovmf,
  dom0,
  subarch,
  imageHandle,
  tables,
  systems,
  processors,
];
