import { byHelper, type Family } from './family.js';

/** MOVS, STOS, LODS, SCAS, CMPS with and without REP: the core runs them. Intel SDM volume 2. */
export const strings: Family = {
  Movsb_m8_m8: byHelper('movs8'),
  Movsw_m16_m16: byHelper('movs16'),
  Movsd_m32_m32: byHelper('movs32'),
  Movsq_m64_m64: byHelper('movs64'),
  Stosb_m8_AL: byHelper('stos8'),
  Stosw_m16_AX: byHelper('stos16'),
  Stosd_m32_EAX: byHelper('stos32'),
  Stosq_m64_RAX: byHelper('stos64'),
  Lodsb_AL_m8: byHelper('lods8'),
  Lodsw_AX_m16: byHelper('lods16'),
  Lodsd_EAX_m32: byHelper('lods32'),
  Lodsq_RAX_m64: byHelper('lods64'),
  Scasb_AL_m8: byHelper('scas8'),
  Scasw_AX_m16: byHelper('scas16'),
  Scasd_EAX_m32: byHelper('scas32'),
  Scasq_RAX_m64: byHelper('scas64'),
  Cmpsb_m8_m8: byHelper('cmps8'),
  Cmpsw_m16_m16: byHelper('cmps16'),
  Cmpsd_m32_m32: byHelper('cmps32'),
  Cmpsq_m64_m64: byHelper('cmps64'),
};
