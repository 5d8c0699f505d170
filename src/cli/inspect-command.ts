import { ConsoleOutput } from '../host/console-output.js';
import { loadImage } from './boot-inputs.js';
import { inspect, inspectData } from './inspect.js';
import type { Command } from './options.js';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Says what is in an image: format, doors, notes, sections, payload, and what does not load and why.',
  operands: 'IMAGE [OPTIONS]',
  options: [{ name: 'json', meaning: 'as JSON' }],
  examples: [
    'efikit inspect /boot/vmlinuz-$(uname -r)',
    'efikit inspect ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --json',
  ],
  async run(args) {
    const image = await loadImage(args.image);
    const output = new ConsoleOutput(process.stdout, 'the report');
    output.writeText(args.flag('json') ? `${JSON.stringify(inspectData(image), null, 2)}\n` : inspect(image));
    await output.finish();
    return 0;
  },
};
