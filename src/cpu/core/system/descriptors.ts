/**
 * Segment descriptors: how they are found, what their bits say, and how they enter a segment register's hidden part.
 * Intel SDM volume 3, 3.4.5 and 3.5.
 */
import {
  CPL,
  GDTR_BASE,
  GDTR_LIMIT,
  SEG_CS,
  SEG_LDTR,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SELECTOR,
} from '../../state-layout';
import { faultPending } from '../fault';
import { loadSystem, probeSystemWrite, storeSystem } from '../memory/memory-access';

/** Where findDescriptor() found the last descriptor (linear address). */
export let descriptorAddress: u64 = 0;

export const FOUND = 0;
export const OUTSIDE_TABLE = 1; // the caller raises what its instruction prescribes
export const TABLE_FAULT = 2; // a fault is pending

/** What findDescriptor() read. */
export let descriptor: u64 = 0;

/** Looks a selector up in the GDT or LDT; `bytes` is 8, or 16 for a system descriptor in long mode. */
export function findDescriptor(selector: u32, bytes: u32): i32 {
  let base: u64 = 0;
  let limit: u32 = 0;
  if (selector & 4) {
    if (!load<u32>(SEG_LDTR, SEGMENT_ATTRIBUTES)) return OUTSIDE_TABLE;
    base = load<u64>(SEG_LDTR, SEGMENT_BASE);
    limit = load<u32>(SEG_LDTR, SEGMENT_LIMIT);
  } else {
    base = load<u64>(GDTR_BASE);
    limit = load<u32>(GDTR_LIMIT);
  }
  const offset = selector & 0xfff8;
  if (offset + bytes - 1 > limit) return OUTSIDE_TABLE;
  const address = base + offset;
  const value = loadSystem(address, 8);
  if (faultPending()) return TABLE_FAULT;
  descriptorAddress = address;
  descriptor = value;
  return FOUND;
}

// @ts-ignore: decorator
@inline
export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}

// @ts-ignore: decorator
@inline
export function attributesOf(value: u64): u32 {
  return <u32>(value >> 40) & 0xf0ff;
}

export function baseOf(value: u64): u64 {
  return ((value >> 16) & 0xff_ffff) | ((value >> 32) & 0xff00_0000);
}

/** In bytes - 1, expanded by the granularity bit. */
export function limitOf(value: u64): u32 {
  const limit = <u32>(value & 0xffff) | (<u32>(value >> 32) & 0xf_0000);
  return (value >> 55) & 1 ? (limit << 12) | 0xfff : limit;
}

// Attributes: access byte in bits 0-7.

// @ts-ignore: decorator
@inline
export function isPresent(attributes: u32): bool {
  return (attributes & 0x80) != 0;
}

// @ts-ignore: decorator
@inline
export function privilegeOf(attributes: u32): u32 {
  return (attributes >> 5) & 3;
}

// @ts-ignore: decorator
@inline
export function isCode(attributes: u32): bool {
  return (attributes & 0x18) == 0x18;
}

// @ts-ignore: decorator
@inline
export function isConforming(attributes: u32): bool {
  return (attributes & 0x1c) == 0x1c;
}

// @ts-ignore: decorator
@inline
export function isWritableData(attributes: u32): bool {
  return (attributes & 0x1a) == 0x12;
}

/** Data, or code that may be read. */
// @ts-ignore: decorator
@inline
export function isReadable(attributes: u32): bool {
  return (attributes & 0x18) == 0x10 || (attributes & 0x1a) == 0x1a;
}

/** The type and S bits of a system descriptor. */
// @ts-ignore: decorator
@inline
export function systemType(attributes: u32): u32 {
  return attributes & 0x1f;
}

export const SYSTEM_LDT: u32 = 2;
export const SYSTEM_TSS_AVAILABLE: u32 = 9;
export const SYSTEM_TSS_BUSY: u32 = 11;

/** Whether the accessed bit can be set: false, with a fault pending, when the table cannot be written. */
export function canMarkAccessed(value: u64, address: u64): bool {
  return (value >> 40) & 1 ? true : probeSystemWrite(address, 8);
}

/** Sets the accessed bit in the table. Intel SDM volume 3, 3.4.5.1. */
export function markAccessed(value: u64, address: u64): void {
  if ((value >> 40) & 1) return;
  storeSystem(address + 5, ((value >> 40) & 0xff) | 1, 1);
}

/** Loads a segment register (its address in the state) from a descriptor that was checked. */
export function setSegment(segment: u32, selector: u32, value: u64): void {
  setHidden(segment, selector, attributesOf(value) | 1, baseOf(value), limitOf(value));
}

export function setHidden(segment: u32, selector: u32, attributes: u32, base: u64, limit: u32): void {
  store<u32>(segment, selector & 0xffff, SEGMENT_SELECTOR);
  store<u32>(segment, attributes, SEGMENT_ATTRIBUTES);
  store<u64>(segment, base, SEGMENT_BASE);
  store<u32>(segment, limit, SEGMENT_LIMIT);
}

/** Loads CS and the CPL; the selector's RPL becomes the CPL. The caller calls updateMode(). */
export function setCode(selector: u32, value: u64, privilege: u32): void {
  setSegment(SEG_CS, (selector & 0xfffc) | privilege, value);
  store<u32>(CPL, privilege);
}
