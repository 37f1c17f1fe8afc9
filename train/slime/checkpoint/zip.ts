/**
 * Finds the entries of a zip archive that fills a slice of a file. A `.distcp` file contains one archive per item,
 * written by `torch.save`. Entries are uncompressed, so each entry is a range of bytes.
 *
 * @see PKWARE APPNOTE 6.3.9, sections 4.3 and 4.5.3 (zip64).
 */

import { crc32 } from "node:zlib";
import type { FileSlice } from "./byte_file.ts";

/** An entry of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** The size in bytes. */
  readonly size: number;
  /** The stored CRC-32; 0 if the writer did not compute it. */
  readonly crc32: number;
  /** The offset of the entry's local header in the slice. */
  readonly headerOffset: number;
}

export const END = 0x06054b50;
export const END_BYTES = 22;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
export const CENTRAL = 0x02014b50;
export const CENTRAL_BYTES = 46;
export const LOCAL = 0x04034b50;
export const LOCAL_BYTES = 30;
const ZIP64_EXTRA = 1;

/** The maximum size of a zip directory. A checkpoint's archive has few entries. */
const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

/**
 * Reads the directory of the archive that fills `slice`.
 * @returns The entries, keyed by name.
 * @throws {DataError} If the slice is not an archive or is truncated, or an entry is outside the slice, compressed,
 * encrypted or repeated.
 */
export function zipEntries(slice: FileSlice): Map<string, ZipEntry> {
  const { offset, size, count } = findDirectory(slice);
  if (size > MAX_DIRECTORY_BYTES || offset + size > slice.size) {
    throw slice.fault("its zip directory is outside the archive");
  }
  const directory = slice.read(offset, size);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, bytes } = readCentral(slice, { directory, at });
    if (entries.has(entry.name)) {
      throw slice.fault(`its zip directory lists "${entry.name}" twice`);
    }
    entries.set(entry.name, entry);
    at += bytes;
  }
  if (at !== size) throw slice.fault("its zip directory has the wrong length");
  return entries;
}

/**
 * Returns the offset of an entry's first byte in the slice.
 * @throws {DataError} If the entry's local header is missing or has another name, or the entry's bytes extend past the
 * slice.
 */
export function entryOffset(slice: FileSlice, entry: ZipEntry): number {
  const { name, size, headerOffset } = entry;
  const view = viewOf(slice.read(headerOffset, LOCAL_BYTES));
  if (view.getUint32(0, true) !== LOCAL) {
    throw slice.fault(`entry "${name}" has no local header at its offset`);
  }
  const nameBytes = view.getUint16(26, true);
  const found = text(slice.read(headerOffset + LOCAL_BYTES, nameBytes));
  if (found !== name) {
    throw slice.fault(
      `entry "${name}" has the name "${found}" in its local header`,
    );
  }
  const start = headerOffset + LOCAL_BYTES + nameBytes +
    view.getUint16(28, true);
  if (start + size > slice.size) {
    throw slice.fault(`entry "${name}" extends past the end of the archive`);
  }
  return start;
}

/**
 * Reads the bytes of a small entry. If the archive contains their CRC-32, it is checked.
 * @throws {DataError} If the entry has no local header, extends past the slice, is larger than `limit`, or does not
 * match its CRC-32.
 */
export function readEntry(
  slice: FileSlice,
  entry: ZipEntry,
  { limit }: { readonly limit: number },
): Uint8Array {
  if (entry.size > limit) {
    throw slice.fault(
      `entry "${entry.name}" must have at most ${limit} bytes, but it has ${entry.size}`,
    );
  }
  const bytes = slice.read(entryOffset(slice, entry), entry.size);
  if (entry.crc32 !== 0 && crc32(bytes) !== entry.crc32) {
    throw slice.fault(
      `entry "${entry.name}" has changed since it was written: its CRC-32 differs`,
    );
  }
  return bytes;
}

interface Directory {
  /** The offset in the slice. */
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

/** Finds the archive's directory. `torch.save` writes no comment, so the end record is at the end of the slice. */
function findDirectory(slice: FileSlice): Directory {
  if (slice.size < END_BYTES) {
    throw slice.fault("it is too short for an archive");
  }
  const view = viewOf(slice.read(slice.size - END_BYTES, END_BYTES));
  if (view.getUint32(0, true) !== END || view.getUint16(20, true) !== 0) {
    throw slice.fault(
      "it does not end like a zip archive written by torch.save",
    );
  }
  const count = view.getUint16(10, true);
  const size = view.getUint32(12, true);
  const offset = view.getUint32(16, true);
  const wide = count === 0xffff || size === 0xffffffff ||
    offset === 0xffffffff;
  return wide ? findDirectory64(slice) : { offset, size, count };
}

function findDirectory64(slice: FileSlice): Directory {
  const at = slice.size - END_BYTES - LOCATOR64_BYTES;
  const locator = viewOf(slice.read(at, LOCATOR64_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR64) {
    throw slice.fault("its zip64 directory cannot be found");
  }
  const end = viewOf(slice.read(wide(locator, 8), END64_BYTES));
  if (end.getUint32(0, true) !== END64) {
    throw slice.fault("its zip64 directory is not at its offset");
  }
  return { offset: wide(end, 48), size: wide(end, 40), count: wide(end, 32) };
}

interface CentralPlace {
  readonly directory: Uint8Array;
  readonly at: number;
}

/** Reads an entry of the directory, and the length of its record. */
function readCentral(
  slice: FileSlice,
  { directory, at }: CentralPlace,
): { entry: ZipEntry; bytes: number } {
  if (at + CENTRAL_BYTES > directory.length) {
    throw slice.fault("its zip directory ends early");
  }
  const view = viewOf(directory.subarray(at));
  if (view.getUint32(0, true) !== CENTRAL) {
    throw slice.fault("its zip directory is damaged");
  }
  const nameEnd = CENTRAL_BYTES + view.getUint16(28, true);
  const extraEnd = nameEnd + view.getUint16(30, true);
  const bytes = extraEnd + view.getUint16(32, true);
  if (at + bytes > directory.length) {
    throw slice.fault("its zip directory ends early");
  }
  const name = text(directory.subarray(at + CENTRAL_BYTES, at + nameEnd));
  if (view.getUint16(8, true) & 1) {
    throw slice.fault(`entry "${name}" is encrypted`);
  }
  const extra = directory.subarray(at + nameEnd, at + extraEnd);
  const { packed, size, headerOffset } = widened(slice, { view, extra });
  if (view.getUint16(10, true) !== 0 || packed !== size) {
    throw slice.fault(
      `entry "${name}" is compressed, which torch.save never does`,
    );
  }
  if (headerOffset + LOCAL_BYTES + size > slice.size) {
    throw slice.fault(`entry "${name}" extends past the end of the archive`);
  }
  const crc = view.getUint32(16, true);
  return { entry: { name, size, headerOffset, crc32: crc }, bytes };
}

/** Returns the sizes and the offset of an entry. They are read from the zip64 field if they do not fit in 32 bits. */
function widened(
  slice: FileSlice,
  { view, extra }: { view: DataView; extra: Uint8Array },
): { packed: number; size: number; headerOffset: number } {
  const narrow = {
    size: view.getUint32(24, true),
    packed: view.getUint32(20, true),
    headerOffset: view.getUint32(42, true),
  };
  const missing = (Object.keys(narrow) as (keyof typeof narrow)[])
    .filter((key) => narrow[key] === 0xffffffff);
  if (missing.length === 0) return narrow;
  const field = zip64Field(extra);
  if (field === undefined || field.byteLength < 8 * missing.length) {
    throw slice.fault("an entry of its zip directory lacks its zip64 sizes");
  }
  missing.forEach((key, i) => narrow[key] = wide(field, 8 * i));
  return narrow;
}

function zip64Field(extra: Uint8Array): DataView | undefined {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const size = view.getUint16(at + 2, true);
    if (at + 4 + size > extra.length) return undefined;
    if (view.getUint16(at, true) === ZIP64_EXTRA) {
      return viewOf(extra.subarray(at + 4, at + 4 + size));
    }
    at += 4 + size;
  }
  return undefined;
}

function wide(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
