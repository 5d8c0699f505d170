import { finders } from './finder.js';
import { readouts } from './readout.js';
import { roving } from './roving.js';
import { scrub } from './scrub.js';
import { theme } from './theme.js';
import { openForPaper } from './paper.js';

theme();
openForPaper();
readouts();
roving();
scrub();
finders();
