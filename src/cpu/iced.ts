/** The one importer of iced-x86: a CommonJS package that reads its own wasm file, so a page replaces this module. */
import iced from 'iced-x86';

export const {
  Code,
  CodeExt,
  Decoder,
  DecoderError,
  DecoderOptions,
  EncodingKind,
  Instruction,
  MemorySizeExt,
  Mnemonic,
  OpCodeOperandKind,
  OpKind,
  Register,
} = iced;
export type { ConstantOffsets, Decoder as IcedDecoder, Instruction as IcedInstruction, OpCodeInfo } from 'iced-x86';
