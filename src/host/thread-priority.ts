import { readdirSync } from 'node:fs';
import { setPriority } from 'node:os';

const NICE = 10;

/**
 * Puts the threads that V8 compiles and collects garbage with behind the thread that runs the guest, where the system
 * tells threads apart (Linux: /proc/self/task, setpriority(2)): on few processors they would take time from it.
 */
export function preferGuestThread(): void {
  let threads: string[];
  try {
    threads = readdirSync('/proc/self/task');
  } catch {
    return;
  }
  for (const thread of threads.map(Number)) {
    if (thread === process.pid) continue;
    try {
      setPriority(thread, NICE);
    } catch {
      continue; // it has ended
    }
  }
}
