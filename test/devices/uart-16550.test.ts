import { expect } from 'chai';
import { Uart16550 } from '../../src/devices/uart-16550.js';

function create() {
  const uart = new Uart16550();
  const sent: number[] = [];
  const edges: boolean[] = [];
  uart.onTransmit = (byte) => sent.push(byte);
  uart.onInterrupt = (asserted) => edges.push(asserted);
  const read = (register: number) => uart.readPort(0x3f8 + register);
  const write = (register: number, value: number) => {
    uart.writePort(0x3f8 + register, 1, value);
  };
  return { uart, sent, edges, read, write };
}

/** As a driver leaves it: FIFOs on with trigger 8, OUT2 set. */
function running(ier: number) {
  const machine = create();
  machine.write(2, 0x81);
  machine.write(4, 0x0b);
  machine.write(1, ier);
  return machine;
}

const text = (string: string) => Uint8Array.from(string, (character) => character.charCodeAt(0));

describe('16550A UART (National PC16550D)', () => {
  it('8.4 LSR: the transmitter is always empty', () => {
    expect(create().read(5)).to.equal(0x60);
  });
  it('8.3 divisor latch: DLL and DLM replace the data and IER registers while DLAB is set', () => {
    const { read, write, sent } = create();
    write(3, 0x83);
    write(0, 0x34);
    write(1, 0x12);
    expect([read(0), read(1)]).to.deep.equal([0x34, 0x12]);
    write(3, 0x03);
    expect([read(1), sent.length]).to.deep.equal([0, 0]);
  });
  it('8.7 IER: only four bits exist', () => {
    const { read, write } = create();
    write(1, 0xff);
    expect(read(1)).to.equal(0x0f);
  });
  it('8.10 the scratch register keeps its byte', () => {
    const { read, write } = create();
    write(7, 0x5a);
    expect(read(7)).to.equal(0x5a);
  });
  it('8.5 FIFO enable shows in IIR bits 6-7; without it the part looks like a 16450', () => {
    const { read, write } = create();
    expect(read(2)).to.equal(0x01);
    write(2, 0x01);
    expect(read(2)).to.equal(0xc1);
  });
  it('8.8 loopback: modem outputs come back as inputs, as drivers probe it', () => {
    const { read, write } = create();
    write(4, 0x1a);
    expect(read(6) & 0xf0).to.equal(0x90);
    write(4, 0x15);
    expect(read(6) & 0xf0).to.equal(0x60);
  });
  it('8.8 loopback: transmitted bytes are received and do not leave; a full FIFO overruns', () => {
    const { read, write, sent } = create();
    write(2, 1);
    write(4, 0x10);
    for (let byte = 0; byte < 17; byte++) write(0, byte);
    expect(sent).to.deep.equal([]);
    expect(read(5)).to.equal(0x63);
    expect(read(5)).to.equal(0x61);
    expect(read(0)).to.equal(0);
  });
  it('8.9 MSR: changes show once', () => {
    const { read, write } = create();
    write(4, 0x10); // CTS, DSR and DCD go off
    expect(read(6)).to.equal(0x0b);
    expect(read(6)).to.equal(0x00);
  });
  it('transmits at once', () => {
    const { write, sent } = create();
    for (const byte of text('ok')) write(0, byte);
    expect(sent).to.deep.equal([0x6f, 0x6b]);
  });

  describe('table IV, transmitter interrupt', () => {
    it('comes when it is enabled with an empty transmitter; reading IIR withdraws it', () => {
      const { read, write, edges } = running(0);
      write(1, 2);
      expect(edges).to.deep.equal([true]);
      expect(read(2)).to.equal(0xc2);
      expect(read(2)).to.equal(0xc1);
      expect(edges).to.deep.equal([true, false]);
    });
    it('each byte makes an edge', () => {
      const { write, edges } = running(2);
      write(0, 1);
      write(0, 2);
      expect(edges).to.deep.equal([true, false, true, false, true]);
    });
    it('needs OUT2 on a PC', () => {
      const { write, edges } = create();
      write(1, 2);
      expect(edges).to.deep.equal([]);
    });
  });

  describe('receiver', () => {
    it('8.11 below the trigger level it is a timeout interrupt, from there on a data interrupt', () => {
      const { uart, read } = running(1);
      uart.type(text('1234567'));
      expect(read(2)).to.equal(0xcc);
      uart.type(text('8'));
      expect(read(2)).to.equal(0xc4);
    });
    it('typed bytes fill the FIFO, the rest waits with the host', () => {
      const { uart, read } = running(0);
      uart.type(text('abcdefghijklmnopqrst'));
      expect(uart.waiting).to.equal(20);
      let got = '';
      while ((read(5) & 1) !== 0) got += String.fromCharCode(read(0));
      expect(got).to.equal('abcdefghijklmnopqrst');
    });
    it('piped bytes enter only while the receive interrupt is enabled', () => {
      const { uart, read, write } = running(0);
      uart.pipe(text('ab'));
      expect(read(5) & 1).to.equal(0);
      write(1, 1);
      expect(read(5) & 1).to.equal(1);
      expect(String.fromCharCode(read(0), read(0))).to.equal('ab');
    });
    it('the line falls between two piped bytes, so that an edge is seen for each', () => {
      const { uart, read, edges } = running(1);
      uart.pipe(text('ab'));
      read(0);
      read(0);
      expect(edges).to.deep.equal([true, false, true, false]);
    });
    it('a piped byte that a FIFO reset swallows is given again', () => {
      const { uart, read, write } = running(1);
      uart.pipe(text('ab'));
      write(1, 0);
      write(2, 0x87);
      expect(read(5) & 1).to.equal(0);
      write(1, 1);
      expect(String.fromCharCode(read(0), read(0))).to.equal('ab');
    });
    it('a typed byte that a FIFO reset swallows is lost, as on a real line', () => {
      const { uart, read, write } = running(0);
      uart.type(text('x'));
      write(2, 0x83);
      expect(read(5) & 1).to.equal(0);
    });
  });

  it('state survives JSON', () => {
    const { uart } = running(3);
    uart.pipe(text('xyz'));
    const copy = new Uart16550();
    copy.restore(JSON.parse(JSON.stringify(uart.save())) as ReturnType<Uart16550['save']>);
    expect(copy.save()).to.deep.equal(uart.save());
    expect(copy.readPort(0x3f8)).to.equal(0x78);
  });
});
