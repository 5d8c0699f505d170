import { Register } from './iced.js';
import * as L from './state-layout.js';

/**
 * Where each register lives, by iced-x86's register number: the address of its low byte (of the second one for AH to
 * BH), of a segment or debug register's state; for control and x87 registers the register's number.
 */
export const registerAddress = buildRegisterAddresses();

function buildRegisterAddresses(): Uint32Array {
  const addresses = new Uint32Array(512);
  const wide = [
    'RAX',
    'RCX',
    'RDX',
    'RBX',
    'RSP',
    'RBP',
    'RSI',
    'RDI',
    'R8',
    'R9',
    'R10',
    'R11',
    'R12',
    'R13',
    'R14',
    'R15',
  ] as const;
  const set = (name: string, address: number): void => {
    const register = (Register as unknown as Record<string, number>)[name];
    if (register === undefined) throw new Error(`no register ${name}`);
    addresses[register] = address;
  };
  wide.forEach((name, number) => {
    const address = L.RAX + 8 * number;
    set(name, address);
    if (number < 8) {
      set(`E${name.slice(1)}`, address);
      set(name.slice(1), address);
      set(number < 4 ? `${name.slice(1, 2)}L` : `${name.slice(1)}L`, address);
      if (number < 4) set(`${name.slice(1, 2)}H`, address + 1);
    } else for (const suffix of ['D', 'W', 'L']) set(`${name}${suffix}`, address);
  });
  for (let i = 0; i < 16; i++) set(`XMM${String(i)}`, L.XMM + 16 * i);
  for (let i = 0; i < 8; i++) {
    set(`MM${String(i)}`, L.FX_ST + 16 * i);
    set(`ST${String(i)}`, i);
    set(`DR${String(i)}`, L.DR0 + 8 * i);
  }
  ['CR0', 'CR2', 'CR3', 'CR4', 'CR8'].forEach((name) => {
    set(name, Number(name.slice(2)));
  });
  const segments = { ES: L.SEG_ES, CS: L.SEG_CS, SS: L.SEG_SS, DS: L.SEG_DS, FS: L.SEG_FS, GS: L.SEG_GS };
  for (const [name, address] of Object.entries(segments)) set(name, address);
  return addresses;
}
