/** What the core asks of JavaScript for memory. Addresses are guest-physical, values unsigned; no i64 crosses. */

/** A load of 1, 2 or 4 aligned bytes outside RAM. */
// @ts-ignore: decorator
@external('host', 'readMmio')
export declare function readMmio(physical: u32, bytes: i32): u32;

/** A store of 1, 2 or 4 aligned bytes outside RAM. */
// @ts-ignore: decorator
@external('host', 'writeMmio')
export declare function writeMmio(physical: u32, bytes: i32, value: u32): void;

/** Bytes of RAM changed whose granules hold translated code: blocks that overlap them are stale. By place. */
// @ts-ignore: decorator
@external('host', 'codeWritten')
export declare function codeWritten(physical: u32, bytes: u32): void;

/** The guest is about to access bytes in granules of which some bytes are watched (`kind`: WATCHED_*). By place. */
// @ts-ignore: decorator
@external('host', 'watched')
export declare function watched(place: u32, bytes: u32, kind: u32): void;
