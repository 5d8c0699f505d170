import type { BootProtocol } from './boot-protocol.js';
import { linux64 } from './linux64.js';
import { pvh } from './pvh.js';

/** The doors that need nothing but RAM, by the name that --door takes; `efi` also needs firmware and is the machine's. */
export const doors: readonly BootProtocol[] = [pvh, linux64];
