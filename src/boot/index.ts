import { efi } from './efi.js';
import { linux64 } from './linux64.js';
import { pvh } from './pvh.js';

export { efi, linux64, pvh };
export { proposalDoor } from './proposal.js';

/** Every door, by the name that --door takes. A target that has firmware (EfiTarget) serves them all. */
export const doors = [efi, pvh, linux64] as const;
