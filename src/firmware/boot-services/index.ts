import type { Service } from '../service.js';
import { eventServices } from './events.js';
import { imageServices } from './images.js';
import { memoryServices } from './memory.js';
import { miscServices } from './misc.js';
import { handleServices } from './protocol-handles.js';
import { protocolServices } from './protocols.js';

/** Every boot service there is, by name. */
export const bootServices: Readonly<Record<string, Service>> = {
  ...memoryServices,
  ...protocolServices,
  ...handleServices,
  ...imageServices,
  ...eventServices,
  ...miscServices,
};
