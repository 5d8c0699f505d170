import { ConsoleOutput } from '../host/console-output.js';
import { OutputFile } from '../host/files.js';
import { loadImage } from './boot-inputs.js';
import { inspect, inspectData } from './inspect.js';
import type { Command } from './options.js';

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'Says what is in an image: format, doors, notes, sections, payload, and what does not load and why.',
  operands: 'IMAGE [OPTIONS]',
  options: [
    { name: 'json', value: 'FILE', meaning: 'the findings as JSON; "-" is standard output, instead of the text' },
  ],
  examples: [
    'efikit inspect /boot/vmlinuz-$(uname -r)',
    'efikit inspect ~/.cache/efikit/kernels/vmlinuz-6.1-cloud --json -',
  ],
  async run(args) {
    const image = await loadImage(args.image);
    const json = args.text('json');
    const text = (): string => `${JSON.stringify(inspectData(image), null, 2)}\n`;
    const output = new ConsoleOutput(process.stdout, 'the report');
    output.writeText(json === '-' ? text() : inspect(image));
    if (json !== undefined && json !== '-') {
      const file = new OutputFile(json);
      file.write(text());
      file.close();
    }
    await output.finish();
    return 0;
  },
};
