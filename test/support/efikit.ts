import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const example = (file: string): string => path.join(root, 'examples', file);

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command. `stdout` may name a file that takes its standard output instead. */
export function efikit(
  args: readonly string[],
  { input = '', shellRedirect = '' }: { input?: string; shellRedirect?: string } = {},
): Promise<Ended> {
  const command = [process.execPath, path.join(root, 'dist/cli.js'), ...args];
  const child =
    shellRedirect === ''
      ? spawn(command[0] ?? '', command.slice(1), { cwd: root })
      : spawn('bash', ['-c', `"$@" ${shellRedirect}`, 'bash', ...command], { cwd: root });
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status, stdout, stderr });
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The lines of standard error without the opening line about defaults. */
export const complaints = ({ stderr }: Ended): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('efikit: defaults:'));
