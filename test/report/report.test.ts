import { expect } from 'chai';
import { linux, proposal } from '../../src/firmware/index.js';
import type { MissedService } from '../../src/firmware/index.js';
import { compareFacts, consoleFacts } from '../../src/report/console-facts.js';
import { compareMaps } from '../../src/probe/memory-maps/comparison.js';
import { grouped, memoryText } from '../../src/report/numbers.js';
import { exitStatusOf } from '../../src/report/result.js';
import { closingLines } from '../../src/report/summary.js';
import { consoleText } from '../../src/report/terminal.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('terminal model', () => {
  it('resolves escape sequences, carriage returns and backspaces as a terminal does', async () => {
    expect(await consoleText(bytes('\x1b[31mred\x1b[0m\r\nabc\rX\r\nab\bc\r\n'))).to.equal('red\nXbc\nac\n');
  });
  it('joins lines that only the width of the terminal broke, and keeps the history', async () => {
    const long = 'x'.repeat(200);
    expect(await consoleText(bytes(`${long}\r\n${'line\r\n'.repeat(100)}`))).to.equal(
      `${long}\n${'line\n'.repeat(100)}`,
    );
  });
  it('shows the screen that a full-screen program leaves', async () => {
    expect(await consoleText(bytes('old\x1b[2J\x1b[Hnew'))).to.match(/new\n$/);
  });
  it('is empty when nothing was written', async () => {
    expect(await consoleText(new Uint8Array())).to.equal('');
  });
});

describe('numbers for people', () => {
  it('groups thousands and names sizes as --memory takes them', () => {
    expect([0, 999, 1000, 1234567].map(grouped)).to.deep.equal(['0', '999', '1,000', '1,234,567']);
    expect([2 ** 30, 3 * 2 ** 29, 4096, 5].map(memoryText)).to.deep.equal(['1G', '1536M', '4K', '5']);
  });
});

describe('exit statuses', () => {
  it('are as the commands document them', () => {
    const status = (outcome: Parameters<typeof exitStatusOf>[0]['outcome'], efi?: bigint): number =>
      exitStatusOf({ outcome, reason: '', ...(efi === undefined ? {} : { status: efi }) });
    expect([status('reached'), status('powered-off'), status('exited', 0n)]).to.deep.equal([0, 0, 0]);
    expect(status('exited', 0x8000_0000_0000_0003n)).to.equal(1);
    expect([status('panicked'), status('triple-fault'), status('halted'), status('reset')]).to.deep.equal([1, 1, 1, 1]);
    expect(status('limit')).to.equal(3);
  });
});

describe('closing lines', () => {
  const missed: MissedService = { name: 'HandleProtocol', tick: 5, calls: 2, profile: 'linux' };
  const input = { door: 'efi', image: 'vmlinuz', services: [], profile: proposal, missed: [], succeeded: true };

  it('name what was asked, what was never used and what to try next', () => {
    const services = [
      { name: 'GetMemoryMap', calls: 2, statuses: {} },
      { name: 'Exit', calls: 1, statuses: {} },
    ];
    const [asked, unused, next] = closingLines({ ...input, services });
    expect(asked).to.equal('asked: GetMemoryMap x2, Exit');
    expect(unused).to.match(/^never used: ExitBootServices, GetVariable/);
    expect(next).to.match(/^next: efikit compare vmlinuz/);
  });
  it('name the first service that the profile lacks and the profile that has it, even after a success', () => {
    const [, , next] = closingLines({ ...input, missed: [missed] });
    expect(next).to.match(/HandleProtocol was called .* the profile linux has it: --profile linux/);
  });
  it('say so where no built profile has it, and where a door has no firmware', () => {
    const [, , next] = closingLines({ ...input, profile: linux, missed: [{ ...missed, profile: undefined }] });
    expect(next).to.match(/no profile that is built has it/);
    const [asked, unused] = closingLines({ ...input, door: 'pvh', profile: undefined });
    expect(asked).to.match(/no firmware services/);
    expect(unused).to.match(/hvm_start_info/);
  });
});

describe('memory maps side by side', () => {
  it('split where either map changes and explain each difference', () => {
    const efi = [
      { start: 0, end: 0x1000, type: 'EfiBootServicesData' },
      { start: 0x1000, end: 0x9000, type: 'EfiConventionalMemory' },
      { start: 0x9000, end: 0xa000, type: 'EfiReservedMemoryType' },
    ];
    const pvh = [{ start: 0, end: 0x9000, type: 'RAM' }];
    const compared = compareMaps([efi, pvh]);
    expect(compared.map(({ start, end, types }) => [start, end, ...types])).to.deep.equal([
      [0, 0x1000, 'EfiBootServicesData', 'RAM'],
      [0x1000, 0x9000, 'EfiConventionalMemory', 'RAM'],
      [0x9000, 0xa000, 'EfiReservedMemoryType', undefined],
    ]);
    expect(compared[0]?.why).to.match(/free afterwards/);
    expect(compared[1]?.why).to.equal(undefined);
    expect(compared[2]?.why).to.match(/no RAM either way/);
  });
});

describe('what a small guest printed', () => {
  it('is compared key by key; a console with anything else is left alone', () => {
    const facts = consoleFacts('door: efi\nram range: 0-1\nram range: 2-3\n');
    expect(consoleFacts('[    0.000000] Linux version 6.1\n')).to.equal(undefined);
    expect(compareFacts([facts ?? [], [{ key: 'door', value: 'pvh' }]])).to.deep.equal([
      { key: 'door', values: ['efi', 'pvh'], same: false },
      { key: 'ram range', values: ['0-1; 2-3', undefined], same: false },
    ]);
  });
});
