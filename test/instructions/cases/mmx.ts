/** MMX and its aliasing of the x87 registers, and the SSE instructions between MMX and XMM. Intel SDM volume 1, chapter 9. */
import { fxOffset } from '../state.js';
import { templates, type Family, type Setup } from '../template.js';
import { control } from './sse-float.js';
import { vectors } from './sse.js';
import { stackOf } from './x87.js';

const packed = [
  'paddb',
  'paddw',
  'paddd',
  'paddq',
  'paddsb',
  'paddusw',
  'psubb',
  'psubd',
  'psubq',
  'psubsw',
  'psubusb',
  'pmullw',
  'pmulhw',
  'pmulhuw',
  'pmuludq',
  'pmaddwd',
  'pavgb',
  'pavgw',
  'psadbw',
  'pminub',
  'pminsw',
  'pmaxub',
  'pmaxsw',
  'pcmpeqb',
  'pcmpeqd',
  'pcmpgtb',
  'pcmpgtw',
  'pand',
  'pandn',
  'por',
  'pxor',
  'punpcklbw',
  'punpcklwd',
  'punpckldq',
  'punpckhbw',
  'punpckhwd',
  'punpckhdq',
  'packsswb',
  'packssdw',
  'packuswb',
  'psllw',
  'psrlq',
  'psrad',
];
const others = [
  'psllw mm1, 3',
  'psrad mm1, 40',
  'psrlq mm1, 17',
  'pshufw mm1, mm2, 0x1b',
  'pextrw eax, mm1, 2',
  'pinsrw mm1, ecx, 3',
  'pmovmskb eax, mm1',
  'movd mm1, ecx',
  'movd eax, mm1',
  'movq mm1, rcx',
  'movq rax, mm1',
  'movq mm1, mm2',
  'movq mm1, [rbx]',
  'movq [rbx], mm1',
  'movd mm1, dword ptr [rbx]',
  'movd dword ptr [rbx], mm1',
  'movntq [rbx], mm1',
  'movq2dq xmm1, mm2',
  'movdq2q mm1, xmm2',
  'emms',
];
const conversions = [
  'cvtpi2ps xmm1, mm2',
  'cvtpi2pd xmm1, mm2',
  'cvtpi2pd xmm1, [rbx]',
  'cvtps2pi mm1, xmm2',
  'cvttps2pi mm1, xmm2',
];
const doubleConversions = ['cvtpd2pi mm1, xmm2', 'cvttpd2pi mm1, xmm2'];

const anyStack = stackOf((random) => random.below(9));
/** MM0-7 are the mantissas of physical registers 0-7, which the image holds from TOP on. */
const registers: Setup = (state, random) => {
  const view = new DataView(state.fx.buffer);
  for (let i = 0; i < 8; i++) view.setBigUint64(fxOffset.st + 16 * i, random.corner(), true);
};

export const mmx: Family = {
  name: 'mmx',
  templates: [
    ...templates(
      5,
      packed.flatMap((op) => [`${op} mm1, mm2`, `${op} mm3, [rbx]`]),
      vectors('integers', 1),
      anyStack,
      registers,
    ),
    ...templates(5, others, vectors('integers', 1), anyStack, registers),
    ...templates(10, conversions, vectors('singles'), anyStack, registers, control),
    ...templates(10, doubleConversions, vectors('doubles'), anyStack, registers, control),
  ],
};
