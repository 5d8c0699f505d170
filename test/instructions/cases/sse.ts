/** SSE and SSE2: moves, integers, logic, shuffles. Intel SDM volume 2. */
import { dataPages } from '../state.js';
import { setXmm, vector, type VectorKind } from '../floats.js';
import { addWindow, pointAtData, templates, type Family, type Setup } from '../template.js';

/** Fills all XMM registers; RBX points at 16 aligned bytes of the same kind. */
export const vectors =
  (kind: VectorKind, align = 16): Setup =>
  (state, random, index) => {
    pointAtData(state, random, 'rbx', align);
    const offset = Number(state.general[3]) - dataPages.address;
    addWindow(state, offset, vector(random, kind));
    for (let i = 0; i < 16; i++) setXmm(state, i, vector(random, kind));
    if (index % 4 === 1) setXmm(state, 2, state.fx.slice(160 + 16, 160 + 32)); // equal operands: XMM1 and XMM2
  };

const packed = [
  'paddb',
  'paddw',
  'paddd',
  'paddq',
  'paddsb',
  'paddsw',
  'paddusb',
  'paddusw',
  'psubb',
  'psubw',
  'psubd',
  'psubq',
  'psubsb',
  'psubsw',
  'psubusb',
  'psubusw',
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
  'pcmpeqw',
  'pcmpeqd',
  'pcmpgtb',
  'pcmpgtw',
  'pcmpgtd',
  'pand',
  'pandn',
  'por',
  'pxor',
  'punpcklbw',
  'punpcklwd',
  'punpckldq',
  'punpcklqdq',
  'punpckhbw',
  'punpckhwd',
  'punpckhdq',
  'punpckhqdq',
  'packsswb',
  'packssdw',
  'packuswb',
  'andps',
  'andpd',
  'andnps',
  'andnpd',
  'orps',
  'orpd',
  'xorps',
  'xorpd',
  'unpcklps',
  'unpckhps',
  'unpcklpd',
  'unpckhpd',
];
const forms = (op: string): string[] => [`${op} xmm1, xmm2`, `${op} xmm9, [rbx]`];
const shifts = ['psllw', 'pslld', 'psllq', 'psrlw', 'psrld', 'psrlq', 'psraw', 'psrad'];
const shuffles = [
  'pshufd xmm1, xmm2, 0x1b',
  'pshufd xmm8, [rbx], 0x4e',
  'pshufhw xmm1, xmm2, 0xd2',
  'pshuflw xmm1, xmm12, 0x27',
  'pshuflw xmm3, [rbx], 0xff',
  'pshufhw xmm3, [rbx], 0',
  'shufps xmm1, xmm2, 0x8d',
  'shufps xmm9, [rbx], 0x72',
  'shufpd xmm1, xmm2, 1',
  'shufpd xmm1, [rbx], 2',
  'pslldq xmm1, 3',
  'pslldq xmm8, 16',
  'psrldq xmm1, 5',
  'psrldq xmm2, 15',
  'pslldq xmm1, 0',
  'pslldq xmm1, 255',
];
const toGeneral = [
  'pextrw eax, xmm1, 3',
  'pextrw r9d, xmm10, 7',
  'pextrw ecx, xmm1, 8',
  'pinsrw xmm1, ecx, 2',
  'pinsrw xmm9, r10d, 15',
  'pinsrw xmm1, word ptr [rbx], 5',
  'pmovmskb eax, xmm1',
  'pmovmskb r11d, xmm9',
  'movmskps edx, xmm1',
  'movmskpd eax, xmm14',
  'movd eax, xmm1',
  'movd r9d, xmm10',
  'movq rax, xmm1',
  'movq r15, xmm8',
  'movd xmm1, ecx',
  'movd xmm9, r10d',
  'movq xmm1, rcx',
  'movq xmm12, r9',
];

const aligned = ['movaps', 'movapd', 'movdqa'];
const unaligned = ['movups', 'movupd', 'movdqu'];
const registerMoves = [...aligned, ...unaligned].flatMap((op) => [`${op} xmm1, xmm2`, `${op} xmm9, xmm3`]);
const alignedMoves = aligned.flatMap((op) => [`${op} xmm1, [rbx]`, `${op} [rbx], xmm10`]);
const unalignedMoves = [
  ...unaligned.flatMap((op) => [`${op} xmm1, [rbx]`, `${op} [rbx], xmm10`]),
  'movss xmm1, [rbx]',
  'movss [rbx], xmm9',
  'movss xmm1, xmm2',
  'movsd xmm1, [rbx]',
  'movsd [rbx], xmm9',
  'movsd xmm1, xmm2',
  'movlps xmm1, [rbx]',
  'movlps [rbx], xmm2',
  'movhps xmm1, [rbx]',
  'movhps [rbx], xmm2',
  'movlpd xmm9, [rbx]',
  'movlpd [rbx], xmm2',
  'movhpd xmm1, [rbx]',
  'movhpd [rbx], xmm12',
  'movhlps xmm1, xmm2',
  'movlhps xmm1, xmm9',
  'movd xmm1, dword ptr [rbx]',
  'movd dword ptr [rbx], xmm1',
  'movq xmm1, qword ptr [rbx]',
  'movq qword ptr [rbx], xmm9',
  'movq xmm1, xmm2',
  'movq xmm8, xmm9',
  'movnti [rbx], eax',
  'movnti [rbx], r9',
  '.byte 0x66,0x0f,0xd6,0xd1',
  '.byte 0x66,0x48,0x0f,0x7e,0x0b',
];
const streaming = ['movntdq [rbx], xmm1', 'movntps [rbx], xmm9', 'movntpd [rbx], xmm2'];

/** Counts around the element widths in the low quadword, which alone counts. */
const shiftCounts: Setup = (state, random) => {
  const count = random.chance(0.8) ? BigInt(random.below(70)) : random.corner();
  const bytes = new Uint8Array(BigUint64Array.of(count, random.u64()).buffer);
  setXmm(state, 2, bytes);
  addWindow(state, Number(state.general[3]) - dataPages.address, bytes);
};
const maskedStore: Setup = (state, random) => {
  pointAtData(state, random, 'rdi');
};
/** Every misaligned address: #GP(0) where alignment is demanded. */
const misaligned: Setup = (state, random, index) => {
  vectors('integers')(state, random, index);
  state.general[3] = (state.general[3] as bigint) + BigInt(1 + random.below(15));
};
/** Runs into the read-only page: nothing of it may be written. */
const intoReadOnly: Setup = (state, random, index) => {
  vectors('integers')(state, random, index);
  state.general[3] = BigInt(
    dataPages.address + (index % 2 === 0 ? dataPages.readOnlyAt : dataPages.bytes) - 1 - random.below(15),
  );
};

export const sse: Family = {
  name: 'sse',
  templates: [
    ...templates(8, packed.flatMap(forms), vectors('integers')),
    ...templates(
      10,
      shifts.flatMap((op) => [`${op} xmm1, xmm2`, `${op} xmm9, [rbx]`]),
      vectors('integers'),
      shiftCounts,
    ),
    ...templates(
      3,
      shifts.flatMap((op) =>
        ['0', '1', '7', '15', '16', '33', '63', '200'].map(
          (count) => `${op} xmm${op.length % 2 === 0 ? '1' : '12'}, ${count}`,
        ),
      ),
      vectors('integers'),
    ),
    ...templates(4, [...shuffles, ...toGeneral], vectors('integers')),
    ...templates(3, [...registerMoves, ...alignedMoves, ...streaming], vectors('integers')),
    ...templates(6, unalignedMoves, vectors('integers', 1)),
    ...templates(8, ['maskmovdqu xmm1, xmm2'], vectors('integers'), maskedStore),
    ...templates(
      3,
      [
        'paddd xmm1, [rbx+0]',
        'andps xmm1, [rbx+0]',
        'pshufd xmm1, [rbx+0], 3',
        'addps xmm1, [rbx+0]',
        'sqrtpd xmm1, [rbx+0]',
        'movaps xmm1, [rbx+0]',
        'movdqa [rbx+0], xmm1',
        'movntdq [rbx+0], xmm1',
        'cmpps xmm1, [rbx+0], 1',
        'cvtdq2ps xmm1, [rbx+0]',
      ].map((text) => `{disp8} ${text}`),
      misaligned,
    ),
    ...templates(
      6,
      ['movups [rbx+0]', 'movdqu [rbx+0]', 'movq qword ptr [rbx+0]', 'movsd qword ptr [rbx+0]'].map(
        (text) => `{disp8} ${text}, xmm3`,
      ),
      intoReadOnly,
    ),
  ],
};
