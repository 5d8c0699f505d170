import { expect } from 'chai';
import { controlRegisterOf } from '../../src/probe/instructions/long-mode.js';
import { pageTablePages } from '../../src/probe/instructions/page-tables.js';
import { PlainRam } from '../support/ram.js';

describe('the way to 64-bit mode', () => {
  it('Intel SDM volume 2, MOV to control registers: 0F 22 /r, with a REX prefix or none', () => {
    const of = (...bytes: number[]): string | undefined => controlRegisterOf(Uint8Array.from(bytes));
    expect([of(0x0f, 0x22, 0xd8, 0x90), of(0x0f, 0x22, 0xc0), of(0x41, 0x0f, 0x22, 0xe0)]).to.deep.equal([
      'CR3',
      'CR0',
      'CR4',
    ]);
    expect(of(0x44, 0x0f, 0x22, 0xc0)).to.equal('CR8');
    expect([of(0x0f, 0x20, 0xd8), of(0x90), controlRegisterOf(undefined)]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('Intel SDM volume 3, 4.5.4: pages of tables are counted once, large pages and what is not present are none', () => {
    const ram = new PlainRam(0x1_0000);
    const view = new DataView(ram.bytes.buffer);
    const entry = (table: number, index: number, value: number): void => {
      view.setBigUint64(table + index * 8, BigInt(value), true);
    };
    entry(0x1000, 0, 0x2003);
    entry(0x1000, 511, 0x2003); // the same table again
    entry(0x2000, 0, 0x3003);
    entry(0x2000, 1, 0x4000_0083); // 1 GiB
    entry(0x3000, 0, 0x4003);
    entry(0x3000, 1, 0x20_0083); // 2 MiB
    entry(0x4000, 5, 0x9003); // a page, no table
    entry(0x3000, 2, 0xdead_0003); // outside RAM
    const read = (at: number, length: number): Uint8Array => ram.readPhysical(at, length);
    expect([...pageTablePages(read, 0x1000n)]).to.deep.equal([0x1000, 0x2000, 0x3000, 0x4000]);
  });
});
