import type { Service } from '../service.js';
import { resetServices } from './reset.js';
import { timeServices } from './time.js';
import { variableServices } from './variables.js';
import { virtualMemoryServices } from './virtual-memory.js';

/** Every runtime service there is, by name. */
export const runtimeServices: Readonly<Record<string, Service>> = {
  ...timeServices,
  ...virtualMemoryServices,
  ...variableServices,
  ...resetServices,
};
