/**
 * Reads and writes zip archives in memory. Entries are written with deflate; they are read with the methods that
 * Python's zipfile and Inspect use (stored, deflate, Zstandard). The size of unpacked data is limited, regardless of
 * the sizes that an archive declares.
 *
 * @see PKWARE APPNOTE 6.3.9, sections 4.3 and 4.4.5.
 */

import {
  crc32,
  deflateRawSync,
  inflateRawSync,
  zstdDecompressSync,
} from "node:zlib";
import { DataError, messageOf } from "./errors.ts";

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;

/** The maximum length, in bytes, of the comment that may follow the end record. */
const MAX_COMMENT = 0xffff;

/** The general purpose flag for names in UTF-8. */
const UTF8 = 1 << 11;

/** The compression method of entries that are stored without compression. */
const STORED = 0;
/** The compression method of entries that are packed with deflate. */
const DEFLATE = 8;
/** The compression method of entries that are packed with Zstandard. */
const ZSTANDARD = 93;

/** The maximum unpacked size of an entry, in bytes. */
const MAX_BYTES = 512 * 2 ** 20;

/**
 * The date of all entries, 1980-01-01, which is the format's first date. It is fixed so that equal content gives
 * identical archives.
 */
const DATE = 0x21;

/** Encodes texts as the files of an archive, in the order of the map. The keys are the file names. */
export function writeZip(entries: ReadonlyMap<string, string>): Uint8Array {
  const [parts, directory]: [Uint8Array[], Uint8Array[]] = [[], []];
  let offset = 0;
  for (const [name, text] of entries) {
    const plain = new TextEncoder().encode(text);
    const packed = deflateRawSync(plain);
    const header = headerOf({ name, plain, packed });
    const local = concat([bytesOf(4, LOCAL), header, bytesOf(2, 0)]);
    directory.push(
      concat([
        bytesOf(4, CENTRAL),
        bytesOf(2, 20),
        header,
        bytesOf(2, 0, 0, 0, 0), // extra field, comment, disk, internal attributes
        bytesOf(4, 0, offset), // external attributes
        new TextEncoder().encode(name),
      ]),
    );
    const entry = concat([local, new TextEncoder().encode(name), packed]);
    parts.push(entry);
    offset += entry.length;
  }
  const central = concat(directory);
  const end = concat([
    bytesOf(4, END),
    bytesOf(2, 0, 0, entries.size, entries.size),
    bytesOf(4, central.length, offset),
    bytesOf(2, 0),
  ]);
  return concat([...parts, central, end]);
}

/** Encodes the fields that an entry's local and central headers share. */
function headerOf(
  { name, plain, packed }: {
    readonly name: string;
    readonly plain: Uint8Array;
    readonly packed: Uint8Array;
  },
): Uint8Array {
  return concat([
    bytesOf(2, 20, UTF8, DEFLATE, 0, DATE),
    bytesOf(4, crc32(plain), packed.length, plain.length),
    bytesOf(2, new TextEncoder().encode(name).length),
  ]);
}

function bytesOf(size: 2 | 4, ...values: readonly number[]): Uint8Array {
  const out = new Uint8Array(size * values.length);
  const view = new DataView(out.buffer);
  values.forEach((value, i) =>
    size === 2
      ? view.setUint16(2 * i, value, true)
      : view.setUint32(4 * i, value, true)
  );
  return out;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Checks whether bytes begin with the signature of a zip entry and are long enough for an archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= END_BYTES &&
    viewOf(bytes).getUint32(0, true) === LOCAL;
}

/** Functions that unpack the entries of an archive, keyed by name. */
export type ZipEntries = ReadonlyMap<string, () => Uint8Array>;

/**
 * Reads an archive's directory. If a name occurs twice, the last entry is used, because Inspect appends new versions.
 * @throws {DataError} If the bytes are not an archive or are truncated. The functions in {@linkcode ZipEntries} also
 * throw a {@linkcode DataError} if an entry is damaged, too large, or packed with an unsupported method.
 */
export function readZip(bytes: Uint8Array, path: string): ZipEntries {
  const fault = (what: string, hint = "copy or export it again") =>
    new DataError(`Cannot read the zip archive "${path}": ${what}`, {
      path,
      hint,
    });
  const view = viewOf(bytes);
  const end = endOf(view);
  if (end === undefined) throw fault("it has no central directory");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const entries = new Map<string, () => Uint8Array>();
  for (let i = 0; i < count; i++) {
    const isThere = at + CENTRAL_BYTES <= end &&
      view.getUint32(at, true) === CENTRAL;
    if (!isThere) throw fault("its central directory is damaged");
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(
      bytes.subarray(at + CENTRAL_BYTES, nameEnd),
    );
    const entry = {
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      offset: view.getUint32(at + 42, true),
    };
    entries.set(
      name,
      () =>
        unpacked(
          bytes,
          entry,
          (what, hint) => fault(`entry "${name}" ${what}`, hint),
        ),
    );
    at = nameEnd + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
  }
  return entries;
}

/** Creates the error for an entry that cannot be read. */
type EntryFault = (what: string, hint?: string) => DataError;

interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly offset: number;
}

function unpacked(
  bytes: Uint8Array,
  { method, crc, packed, size, offset }: Entry,
  fault: EntryFault,
): Uint8Array {
  const view = viewOf(bytes);
  const isThere = offset + LOCAL_BYTES <= bytes.length &&
    view.getUint32(offset, true) === LOCAL;
  if (!isThere) throw fault("does not begin with a header");
  const start = offset + LOCAL_BYTES + view.getUint16(offset + 26, true) +
    view.getUint16(offset + 28, true);
  if (start + packed > bytes.length) {
    throw fault("extends beyond the end of the archive");
  }
  if (size > MAX_BYTES) {
    throw fault(
      `has ${size} bytes; the limit is ${MAX_BYTES}`,
      "export it in smaller parts",
    );
  }
  const plain = plainOf(bytes.subarray(start, start + packed), method, fault);
  if (plain.length !== size || crc32(plain) !== crc) {
    throw fault("does not match its checksum or size");
  }
  return plain;
}

function plainOf(
  data: Uint8Array,
  method: number,
  fault: EntryFault,
): Uint8Array {
  const options = { maxOutputLength: MAX_BYTES };
  try {
    if (method === STORED) return data;
    if (method === DEFLATE) return inflateRawSync(data, options);
    if (method === ZSTANDARD) return zstdDecompressSync(data, options);
  } catch (error) {
    throw fault(`cannot be unpacked (${messageOf(error)})`);
  }
  throw fault(
    `is packed with method ${method}, which is not supported`,
    "pack it with deflate or Zstandard",
  );
}

/** Returns the offset of the end record, which a comment may follow; `undefined` if there is none. */
function endOf(view: DataView): number | undefined {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT); at--) {
    const isEnd = view.getUint32(at, true) === END &&
      view.getUint16(at + 20, true) === last - at;
    if (isEnd) return at;
  }
  return undefined;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
