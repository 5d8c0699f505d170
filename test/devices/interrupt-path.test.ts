import { expect } from 'chai';
import { IoApic, IoApicWindow } from '../../src/devices/io-apic.js';
import { LocalApic, LocalApicRegister } from '../../src/devices/local-apic.js';
import { com1Interrupt } from '../../src/devices/ports.js';
import { Uart16550 } from '../../src/devices/uart-16550.js';
import { FakeHost } from './fake-host.js';

/** Wired as the machine wires them, programmed as Linux does: logical destination 1, fixed, edge. */
function create() {
  const local = new LocalApic(new FakeHost());
  const io = new IoApic((message) => local.message(message));
  local.onEndOfInterrupt = (vector) => {
    io.endOfInterrupt(vector);
  };
  const uart = new Uart16550();
  uart.onInterrupt = (asserted) => {
    io.setLine(com1Interrupt, asserted);
  };
  const redirect = (index: number, value: number) => {
    io.writeMmio(IoApicWindow.IOREGSEL, 4, 0x10 + 2 * com1Interrupt + index);
    io.writeMmio(IoApicWindow.IOWIN, 4, value);
  };
  local.writeMmio(LocalApicRegister.SVR, 4, 0x1ff);
  local.writeMmio(LocalApicRegister.LDR, 4, 0x0100_0000);
  redirect(1, 0x0100_0000);
  redirect(0, 0x0821);
  uart.writePort(4, 1, 0x0b);
  uart.writePort(2, 1, 0x81);
  const end = () => {
    local.writeMmio(LocalApicRegister.EOI, 4, 0);
  };
  return { local, io, uart, redirect, end };
}

describe('from COM1 through the I/O APIC to the processor', () => {
  it('every piped byte interrupts a guest that reads one byte an interrupt', () => {
    const { local, uart, end } = create();
    uart.writePort(1, 1, 1);
    uart.pipe(Uint8Array.of(1, 2, 3));
    const got: number[] = [];
    while (local.acknowledge() === 0x21) {
      got.push(uart.readPort(0));
      end();
    }
    expect(got).to.deep.equal([1, 2, 3]);
  });
  it('a transmitter interrupt follows each byte written, until the guest disables it', () => {
    const { local, uart, end } = create();
    uart.writePort(1, 1, 2);
    let interrupts = 0;
    while (local.acknowledge() === 0x21) {
      interrupts++;
      end();
      if (interrupts === 5) uart.writePort(1, 1, 0);
      else uart.writePort(0, 1, 0x2e);
    }
    expect(interrupts).to.equal(5);
  });
  it('level: EOI at the local APIC makes an asserted pin interrupt again', () => {
    const { local, uart, redirect, end } = create();
    redirect(0, 0x8821);
    uart.writePort(1, 1, 1);
    uart.type(Uint8Array.of(1, 2));
    expect(local.acknowledge()).to.equal(0x21);
    uart.readPort(0);
    end();
    expect(local.acknowledge()).to.equal(0x21);
    uart.readPort(0);
    end();
    expect(local.acknowledge()).to.equal(undefined);
  });
});
