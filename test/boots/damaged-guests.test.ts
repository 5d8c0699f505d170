import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { BootError } from '../../src/boot/boot-protocol.js';
import { defaultDoor, doorRefuses } from '../../src/boot/door-choice.js';
import { linux } from '../../src/firmware/index.js';
import { loadProcessorArtifacts } from '../../src/host/processor-artifacts.js';
import { ImageError } from '../../src/loaders/image.js';
import { readImage } from '../../src/loaders/read-image.js';
import { ObservedBoot } from '../../src/probe/observed-boot.js';
import { SeededRandom } from '../../src/cpu/seeded-random.js';
import { example } from '../support/efikit.js';

const instructions = 300_000;

/** Boots damaged bytes and says how that ended; anything but a refusal or an outcome is thrown. */
function ending(bytes: Uint8Array, artifacts: ReturnType<typeof loadProcessorArtifacts>): string {
  try {
    const image = readImage(bytes);
    const door = defaultDoor(image);
    if (doorRefuses(door, image) !== undefined) return 'closed';
    const options = { commandLine: '', modules: [] };
    const run = ObservedBoot.start({
      artifacts,
      door,
      image,
      profile: linux,
      strict: true,
      memoryBytes: 2 ** 26,
      options,
    });
    const { machine } = run;
    while (run.outcome === undefined && machine.instructions < instructions) {
      machine.run(instructions - machine.instructions);
      if (machine.idle) {
        const next = machine.idleUntil();
        if (next === undefined) return 'idle';
        machine.skipTo(next);
      }
    }
    return run.outcome?.outcome ?? 'running';
  } catch (error) {
    if (error instanceof ImageError || error instanceof BootError) {
      expect(error.message).not.to.match(/\n/);
      return error.name;
    }
    throw error;
  }
}

describe('damaged guests', function () {
  this.timeout(120_000);

  for (const file of ['two-doors/two-doors.efi', 'two-doors/two-doors.elf', 'hello/hello.efi']) {
    it(`${file}: 80 seeded damages end in a refusal or an outcome`, () => {
      const random = new SeededRandom(20160404);
      const below = (limit: number): number => Number(random.next64() % BigInt(limit));
      const artifacts = loadProcessorArtifacts();
      const original = new Uint8Array(readFileSync(example(file)));
      const endings = new Map<string, number>();
      for (let i = 0; i < 80; i++) {
        const damaged = i % 4 === 0 ? original.slice(0, below(original.length)) : original.slice();
        for (let flips = 1 + below(8); i % 4 !== 0 && flips > 0; flips--) {
          const at = below(i % 2 === 0 ? 512 : damaged.length);
          damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8));
        }
        const how = ending(damaged, artifacts);
        endings.set(how, (endings.get(how) ?? 0) + 1);
      }
      expect([...endings.keys()].length, JSON.stringify([...endings])).to.be.greaterThan(1);
    });
  }
});
