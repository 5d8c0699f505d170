import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { efi } from '../../../src/boot/efi.js';
import { linux, proposal, type Profile } from '../../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../../src/host/processor-artifacts.js';
import { readImage } from '../../../src/loaders/read-image.js';
import { Machine } from '../../../src/machine.js';

const folder = new URL('../../efi/variable-calls/', import.meta.url);

/** Differences from OVMF that stay: which of its lines, what is here instead, and why. Every other line is the same. */
const differences: readonly { recorded: RegExp; here: RegExp; lines: number; reason: string }[] = [
  {
    recorded: /^query {2}\S*\bAT\b\S* -> EFI_SUCCESS 0x/,
    here: /^query {2}\S*\bAT\b\S* -> EFI_UNSUPPORTED$/,
    lines: 24,
    reason: 'there are no authenticated variables yet: EFI_UNSUPPORTED by UEFI 2.10 section 8.2.4, OVMF has them',
  },
  {
    recorded: /^look "(VendorKeys|SignatureSupport)" global -> EFI_BUFFER_TOO_SMALL BS\|RT$/,
    here: /^look "(VendorKeys|SignatureSupport)" global -> EFI_NOT_FOUND$/,
    lines: 2,
    reason: 'Secure Boot: there are neither vendor keys nor signatures that could be checked',
  },
  {
    recorded: /^look "(PlatformLang|PlatformLangCodes|Lang|LangCodes)" global -> EFI_BUFFER_TOO_SMALL/,
    here: /^look "\w+" global -> EFI_NOT_FOUND$/,
    lines: 4,
    reason: 'the firmware has no user interface whose language could be chosen',
  },
  {
    recorded: /^look "(BootOptionSupport|Timeout|BootOrder|Boot0000)" global -> EFI_BUFFER_TOO_SMALL/,
    here: /^look "\w+" global -> EFI_NOT_FOUND$/,
    lines: 4,
    reason: 'there is no boot manager: nobody makes these before somebody sets them',
  },
  {
    recorded: /^look "(ConIn|ConOut|ErrOut)(Dev)?" global -> EFI_BUFFER_TOO_SMALL/,
    here: /^look "\w+" global -> EFI_NOT_FOUND$/,
    lines: 6,
    reason: 'there is one console, and no device path to it',
  },
  {
    recorded: /^growth {2}\S+ -?0x/,
    here: /^growth {2}\S+ -?0x/,
    lines: 21,
    reason: 'at run time OVMF takes back no storage of changed and deleted variables before the next boot',
  },
];

/** The lines of the guest between BEGIN and END. */
function run(profile: Profile): string[] {
  let text = '';
  const machine = new Machine({ artifacts: loadProcessorArtifacts(), memoryBytes: 64 << 20, profile, strict: true });
  machine.onConsole = (byte) => {
    text += String.fromCharCode(byte);
  };
  machine.boot(efi, readImage(readFileSync(new URL('variable-calls.efi', folder))), { commandLine: '', modules: [] });
  while (machine.outcome === undefined && machine.ticks < 2e9 && !text.endsWith('END\r\n')) machine.run(5e6);
  const lines = text.split('\r\n');
  return lines.slice(lines.indexOf('BEGIN') + 1, lines.lastIndexOf('END'));
}

describe('the variable services against QEMU with OVMF 2022.11 (UEFI 2.10 section 8.2)', function () {
  this.timeout(60_000);
  const recorded = readFileSync(new URL('ovmf.txt', folder), 'utf8').trimEnd().split('\n');
  const sections = new Map<string, { line: number; recorded: string[] }>();
  let title = '';
  recorded.forEach((line, index) => {
    if (line.startsWith('# ')) {
      title = `${line.slice(2)}${sections.has(line.slice(2)) ? `, from line ${String(index + 1)}` : ''}`;
      sections.set(title, { line: index, recorded: [] });
    }
    sections.get(title)?.recorded.push(line);
  });
  let lines: string[] = [];
  before(() => {
    lines = run(linux);
  });

  it('the guest makes as many calls as there', () => {
    expect(lines.length).to.equal(recorded.length);
    expect(recorded.length).to.be.above(4000);
  });

  for (const [name, section] of sections) {
    it(`${name}: the same statuses and data, ${String(section.recorded.length - 1)} lines`, () => {
      const differ = section.recorded.flatMap((line, index) => {
        const here = lines[section.line + index] ?? '(no line)';
        const known = differences.some((entry) => entry.recorded.test(line) && entry.here.test(here));
        return line === here || known ? [] : [`OVMF: ${line}`, `here: ${here}`];
      });
      expect(differ).to.deep.equal([]);
    });
  }

  for (const { recorded: pattern, here, lines: expected, reason } of differences) {
    it(`differs in ${String(expected)} lines: ${reason}`, () => {
      const differ = recorded.filter(
        (line, index) => line !== lines[index] && pattern.test(line) && here.test(lines[index] ?? ''),
      );
      expect(differ).to.have.lengthOf(expected);
    });
  }

  it('growth differs after ExitBootServices alone', () => {
    const end = recorded.indexOf('# ExitBootServices');
    const early = recorded.slice(0, end).filter((line, index) => line.startsWith('growth') && line !== lines[index]);
    expect(early).to.deep.equal([]);
  });

  it('profile `proposal` gives the same lines as `linux`', () => {
    expect(run(proposal)).to.deep.equal(lines);
  });
});
