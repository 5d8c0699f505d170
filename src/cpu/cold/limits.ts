/** Places for hot functions in the cold module's table. */
export const HOT_CAPACITY = 16_384;
