import type { ConsoleLine, ConsoleLinesRecord } from '../calls/console-result.js';
import { probe } from '../probe.js';

const mostLines = 2000;
const longestLine = 400; // characters

/** When the guest said what. */
export const consoleLines = probe<ConsoleLinesRecord>({
  name: 'console-lines',
  question: 'When does the guest say what?',
  start(run) {
    const lines: ConsoleLine[] = [];
    let moreLines = 0;
    let bytes: number[] = [];
    let instructions = 0;
    const end = (): void => {
      const text = new TextDecoder().decode(Uint8Array.from(bytes)).trimEnd();
      bytes = [];
      if (text === '') return;
      if (lines.length < mostLines) lines.push({ instructions, text });
      else moreLines++;
    };
    run.onConsole((byte) => {
      if (byte === 10) {
        end();
        return;
      }
      if (bytes.length === 0) ({ instructions } = run.machine);
      if (bytes.length < longestLine) bytes.push(byte);
    });
    return () => {
      end();
      return { lines, moreLines };
    };
  },
  record: (taken) => taken,
  show: () => [], // the console itself is in the result
});
