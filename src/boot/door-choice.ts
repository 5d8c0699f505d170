import type { LoadedImage } from '../loaders/image.js';
import { efi } from './efi.js';
import { linux64 } from './linux64.js';
import { proposalRefuses } from './proposal.js';
import { pvh } from './pvh.js';

/** The doors by the names that --door takes. `proposal` is the efi door with proposal-linux in front of the kernel. */
export const doorNames = ['efi', 'pvh', 'linux64', 'proposal'] as const;
export type DoorName = (typeof doorNames)[number];

export const isDoorName = (text: string): text is DoorName => (doorNames as readonly string[]).includes(text);

/** Why a door does not take the image; undefined when it does. */
export function doorRefuses(name: DoorName, image: LoadedImage): string | undefined {
  switch (name) {
    case 'efi':
      return efi.refuses(image);
    case 'pvh':
      return pvh.refuses(image);
    case 'linux64':
      return linux64.refuses(image);
    case 'proposal':
      return proposalRefuses(image);
  }
}

/** `efi` where the image has a PE header, else `pvh`. */
export const defaultDoor = (image: LoadedImage): DoorName => (image.pe === undefined ? 'pvh' : 'efi');
