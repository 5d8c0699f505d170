/** Which instructions end a block, and which branches are linked, by iced-x86's flow control and code. */
import { Code } from './iced.js';

const FLOW_NEXT = 0;
const FLOW_CONDITIONAL = 3;

/** Direct near branches whose target may lie in the same page. */
export function linkable(flow: number): boolean {
  return flow === 1 || flow === FLOW_CONDITIONAL || flow === 5;
}

/** Every transfer but a conditional branch ends a block, and so does what may change the mode or mapping. */
export function endsBlock(flow: number, code: number): boolean {
  return (flow !== FLOW_NEXT && flow !== FLOW_CONDITIONAL) || changesMapping.has(code);
}

const changesMapping = new Set<number>([
  Code.Mov_cr_r32,
  Code.Mov_cr_r64,
  Code.Invlpg_m,
  Code.Wrmsr,
  Code.Lmsw_rm16,
  Code.Lmsw_r32m16,
  Code.Lmsw_r64m16,
  Code.Clts,
  Code.Mov_Sreg_rm16,
  Code.Mov_Sreg_r32m16,
  Code.Mov_Sreg_r64m16,
  Code.Popd_DS,
  Code.Popd_ES,
  Code.Popd_SS,
  Code.Hlt,
  Code.Sti,
  Code.Popfq,
  Code.Popfd,
  Code.Popfw,
]);
