/** Units that CR0 and CR4 switch off. Intel SDM volume 3, 2.5 and 13.1. */
export const FloatingUnit = { none: 0, x87: 1, mmx: 2, sse: 3 } as const;
