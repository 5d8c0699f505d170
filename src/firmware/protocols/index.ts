import type { Service } from '../service.js';
import { consoleFunctions } from './console.js';
import { loadFile2Services } from './load-file2.js';

/** Every protocol function there is, by `Protocol.Function`. */
export const protocolFunctions: Readonly<Record<string, Service>> = { ...consoleFunctions, ...loadFile2Services };
