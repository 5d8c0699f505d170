import { expect } from 'chai';
import { R8, bothTiers, loop } from './both-tiers.js';
import { dword } from './plain-program.js';
import { places, ports } from './random-places.js';

const [MOV_RSI, MOV_RDI] = [
  [0x48, 0xc7, 0xc6],
  [0x48, 0xc7, 0xc7],
];
const movEcx = (value: number): number[] => [0xb9, ...dword(value)];
const movEdx = (value: number): number[] => [0xba, ...dword(value)];
const ADD_EBX_1 = [0x83, 0xc3, 1];

describe('a function of the core that hot code calls', function () {
  this.timeout(60_000);

  it('may write into the code of the region that calls it: what comes next is the new code', () => {
    const code = [
      ...[...MOV_RDI, ...dword(places.code + 19)],
      ...movEcx(1),
      ...[0x44, 0x88, 0xc0], // MOV AL, R8B
      ...[0xf3, 0xaa], // REP STOSB
      ...[0x83, 0xc3, 0], // ADD EBX, what was stored
    ];
    const { rbx, ended } = bothTiers('stos8', { code: loop(code), registers: { [R8]: 5n } });
    expect({ rbx, ended }).to.deep.equal({ rbx: 'f', ended: 'exception' });
  });

  it('may write into the code of the region without REP, several bytes at once', () => {
    const code = [
      ...[...MOV_RDI, ...dword(places.code + 15)],
      ...[0x44, 0x89, 0xc0], // MOV EAX, R8D
      0xab, // STOSD
      ...[0x90, 0x90],
      ...[0x81, 0xc3, ...dword(0)], // ADD EBX, what was stored
    ];
    const { rbx } = bothTiers('stos32', { code: loop(code), registers: { [R8]: 6n } });
    expect(rbx).to.equal('15');
  });

  it('goes on later with a REP at whose middle the budget ends', () => {
    const code = [...MOV_RDI, ...dword(places.data + 0x100), ...movEcx(300), 0xf3, 0xaa, ...ADD_EBX_1];
    const { rbx, rcx } = bothTiers('stos8', { code: loop(code), registers: { 0: 0x5an, [R8]: 6n } }, [0, 7, 40]);
    expect({ rbx, rcx }).to.deep.equal({ rbx: '6', rcx: '0' });
  });

  it('faults at an element of a REP: the elements before it are done', () => {
    const code = [
      ...[...MOV_RSI, ...dword(places.absent - 5)],
      ...[...MOV_RDI, ...dword(places.data + 0x100)],
      ...[...movEcx(10), 0xf3, 0xa4], // REP MOVSB
      ...ADD_EBX_1,
    ];
    const resume = [code.length - 3, code.length + 9];
    const plain = { code: loop(code), resume, registers: { [R8]: 4n } };
    const { rcx, exceptions, cr2 } = bothTiers('movs8', plain);
    expect({ rcx, exceptions, cr2 }).to.deep.equal({
      rcx: '5',
      exceptions: '14 14 14 14 3',
      cr2: places.absent.toString(16),
    });
  });

  it('faults before anything is visible: flags and registers are those in front of the instruction', () => {
    const code = [
      ...[0x48, 0x31, 0xc9], // XOR RCX, RCX
      ...[0x48, 0x83, 0xc0, 0xff], // ADD RAX, -1: CF
      ...[0x48, 0xf7, 0xf1], // DIV RCX
      ...[0x48, 0x83, 0xd2, 0], // ADC RDX, 0
    ];
    const plain = { code: loop(code), resume: [code.length - 4, code.length + 9], registers: { 0: 9n, [R8]: 4n } };
    const { rax, rdx, exceptions } = bothTiers('div64', plain);
    expect({ rax, rdx, exceptions }).to.deep.equal({ rax: '5', rdx: '4', exceptions: '0 0 0 0 3' });
  });

  for (const delay of [0, 1, 5, 30]) {
    it(`reaches a device that wants an interrupt ${String(delay + 1)} ticks later: it comes at that tick`, () => {
      const code = [
        ...[...MOV_RSI, ...dword(places.data), ...movEdx(ports.timer)],
        0x6e, // OUTSB
        ...Array.from({ length: 40 }, () => ADD_EBX_1).flat(),
      ];
      const { devices = '', rbx } = bothTiers('outs8', {
        code: loop(code),
        kernel: true,
        registers: { [R8]: 5n },
        data: [delay],
      });
      const ticks = (what: string): number[] =>
        devices
          .split(', ')
          .filter((line) => line.includes(what))
          .map((line) => Number.parseInt(line, 10));
      expect(ticks('interrupt')).to.deep.equal(ticks('write').map((tick) => tick + delay + 1));
      expect(ticks('interrupt').length).to.equal(5);
      expect(rbx).to.equal((5 * 40).toString(16));
    });
  }

  it('reaches a device that stops the run: the guest goes on behind the instruction', () => {
    const code = [...MOV_RSI, ...dword(places.data), ...movEdx(ports.stop), 0x6e, ...ADD_EBX_1];
    const { rbx } = bothTiers('outs8', { code: loop(code), kernel: true, registers: { [R8]: 5n }, data: [1] });
    expect(rbx).to.equal('5');
  });

  it('reaches a device that writes into the region by itself', () => {
    const code = [
      ...[...MOV_RSI, ...dword(places.data), ...movEdx(ports.dma)],
      ...[0x90, 0x6f], // OUTSD: the byte at the address changes between 2 and 3
      ...[0x83, 0xc3, 2], // ADD EBX
    ];
    const at = places.code + code.length - 1;
    const plain = { code: loop(code), kernel: true, registers: { [R8]: 5n }, data: dword(at) };
    expect(bothTiers('outs32', plain)['rbx']).to.equal((3 + 2 + 3 + 2 + 3).toString(16));
  });

  it('reads a device at the tick of each element', () => {
    const code = [
      ...[...MOV_RSI, ...dword(places.mmio), ...MOV_RDI, ...dword(places.data + 0x100)],
      ...[...movEcx(6), 0xf3, 0xa5], // REP MOVSD
      ...ADD_EBX_1,
    ];
    const { devices = '' } = bothTiers('movs32', { code: loop(code), registers: { [R8]: 4n } });
    expect(devices.split(', ').length).to.equal(24);
  });
});
