import { expect } from 'chai';
import { GateGroup } from '../../src/firmware/gate.js';
import { runConformance } from './run-conformance.js';

const images = { LoadImage: 'present', StartImage: 'present', UnloadImage: 'present' } as const;
const vectors = { start: GateGroup.vectors, end: GateGroup.vectors + 256 };

/** What the log has to hold for a gate that the guest executed. */
function expected(gate: number): string {
  if (gate === GateGroup.imageReturn) return 'image-return';
  return gate >= vectors.start && gate < vectors.end ? 'exception' : 'call';
}

describe('the service log is complete: one entry for every gate that a guest executes', function () {
  this.timeout(20_000);

  for (const [profile, words, overrides] of [
    ['linux', 'map pages pools handles paths initrd console tables', {}],
    ['linux', 'images', images],
    ['linux', 'leave', {}],
    ['linux', 'absent-linux', {}],
    ['proposal', 'absent-proposal', {}],
    ['linux', 'return-error', {}],
    ['linux', 'exit-text', {}],
    ['linux', 'map', { GetMemoryMap: 'null' }],
  ] as const) {
    it(`profile ${profile}: ${words}${Object.keys(overrides).length > 0 ? `, ${JSON.stringify(overrides)}` : ''}`, () => {
      const { gates, log } = runConformance(profile, words, overrides);
      expect(gates.length).to.be.greaterThan(0);
      const entries = log.map((entry) => ('event' in entry ? entry.event : 'call'));
      expect(entries[0]).to.equal('image-entry');
      expect(entries.filter((entry) => entry !== 'image-entry')).to.deep.equal(gates.map(expected));
      const started = log.filter(
        (entry) => 'name' in entry && entry.name === 'StartImage' && entry.results['StartImage'],
      );
      expect(entries.filter((entry) => entry === 'image-entry')).to.have.length(1 + started.length);
    });
  }

  it('7.4: an image that is started stands behind its StartImage; its end says what StartImage returns', () => {
    const { log } = runConformance('linux', 'images', images);
    const start = log.findIndex(
      (entry) => 'name' in entry && entry.name === 'StartImage' && entry.results['StartImage'],
    );
    expect(log[start]).to.have.deep.property('results', { StartImage: 'returns when the image ends' });
    expect(log[start + 1]).to.include({ event: 'image-entry' });
    const exits = log.flatMap((entry) =>
      'name' in entry && entry.name === 'Exit' ? [entry.results['StartImage']] : [],
    );
    expect(exits).to.include('returns EFI_ABORTED');
    expect(log.some((entry) => 'event' in entry && entry.details['ExitStatus'] === 'EFI_LOAD_ERROR')).to.equal(true);
  });
});
