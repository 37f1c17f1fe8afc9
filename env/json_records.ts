/**
 * Reads files of records from other programs: one JSON array or one JSON value per line, optionally gzipped. Invalid
 * records are skipped and reported.
 */

import { gunzipSync } from "node:zlib";
import { DataError, messageOf } from "./errors.ts";
import {
  jsonFault,
  type JsonObject,
  type JsonValue,
  parsePythonArray,
  parsePythonJson,
} from "./python/python_json.ts";

/** A valid record. */
export interface NumberedRecord {
  /** The record's position among all valid and invalid records of the file, counted from 1. */
  readonly number: number;
  readonly record: JsonObject;
}

/** An invalid record. */
export interface RecordFault {
  readonly number: number;
  /**
   * A description of the error, as a clause with its subject: `record 3 is not an object`, `line 7 is not JSON (…)`.
   */
  readonly what: string;
}

/** The valid records of a file, and descriptions of its invalid records. */
export interface JsonRecords {
  readonly records: readonly NumberedRecord[];
  readonly faults: readonly RecordFault[];
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** The bytes of `{`, `}` and the space, which is the highest byte that is white space or a control character. */
const [OPEN, CLOSE, SPACE] = [0x7b, 0x7d, 0x20];

/** Matches a line that begins like a JSON value other than an object, and is therefore not a record. */
const SCALAR = /^\s*(?:[-"[\d]|(?:null|true|false|NaN|Infinity)\s*$)/;

/** The maximum number of faults that a message describes. Further faults are only counted. */
const SHOWN = 3;

/**
 * Reads a file of records. Blank lines, CRLF, a byte order mark and a missing final newline are accepted.
 * @throws {DataError} If gzipped bytes are damaged, no line is valid UTF-8, or the text of an array is not valid UTF-8.
 */
export function readJsonRecords(bytes: Uint8Array, path: string): JsonRecords {
  const lines = linesOf(plainBytes(bytes, path));
  const first = lines.find((line) => line.some((byte) => byte > SPACE));
  if (
    first !== undefined && lines.every((line) => textOf(line) === undefined)
  ) {
    throw damaged(path, new TypeError("invalid UTF-8"));
  }
  const isArray = first !== undefined && textOf(first)?.trimStart()[0] === "[";
  const values = isArray
    ? elementsOf(wholeText(plainBytes(bytes, path), path))
    : lines.flatMap((line, i) => valueOfLine(line, i + 1));
  const records: NumberedRecord[] = [];
  const faults: RecordFault[] = [];
  values.forEach((value, i) => {
    const number = i + 1;
    if ("what" in value) faults.push({ number, what: value.what });
    else if (value.json instanceof Map) {
      records.push({ number, record: value.json });
    } else faults.push({ number, what: `record ${number} is not an object` });
  });
  return { records, faults };
}

/**
 * Returns the text of a file that begins with a JSON object, or `undefined` if it begins with anything else.
 * @throws {DataError} If the bytes are damaged or not text.
 */
export function objectText(
  bytes: Uint8Array,
  path: string,
): string | undefined {
  const plain = plainBytes(bytes, path);
  const first = plain.find((byte) => byte > SPACE);
  return first === OPEN ? wholeText(plain, path) : undefined;
}

/** Lists the skipped records: `2 of 115 records cannot be read: record 7 is not an object; …`. */
export function faultsText(
  faults: readonly RecordFault[],
  total: number,
): string {
  const shown = faults.slice(0, SHOWN).map(({ what }) => what);
  const more = faults.length - shown.length;
  return `${faults.length} of ${total} records cannot be read: ${
    shown.join("; ")
  }${more > 0 ? `; and ${more} more` : ""}`;
}

type Read = { readonly json: JsonValue } | { readonly what: string };

/**
 * Decompresses gzipped bytes, and returns other bytes unchanged.
 * @throws {DataError} If gzipped bytes are damaged or truncated.
 */
function plainBytes(bytes: Uint8Array, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw damaged(path, error);
  }
}

function wholeText(bytes: Uint8Array, path: string): string {
  try {
    return UTF8.decode(bytes);
  } catch (error) {
    throw damaged(path, error);
  }
}

function damaged(path: string, error: unknown): DataError {
  return new DataError(
    `Cannot read "${path}": it is damaged or not text (${messageOf(error)})`,
    { path, cause: error },
  );
}

/** Splits bytes into lines before they are decoded, so that a line that is not text does not affect the others. */
function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start);
    lines.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    start = end < 0 ? bytes.length : end + 1;
  }
  return lines;
}

function textOf(line: Uint8Array): string | undefined {
  try {
    return UTF8.decode(line);
  } catch {
    return undefined;
  }
}

/**
 * Parses one line; returns an empty array if it is blank. Its first and last byte are checked before it is parsed, so
 * that invalid lines are rejected quickly.
 */
function valueOfLine(line: Uint8Array, number: number): Read[] {
  const first = line.findIndex((byte) => byte > SPACE);
  if (first < 0) return [];
  const last = line.findLastIndex((byte) => byte > SPACE);
  const text = textOf(line);
  if (text === undefined) return [{ what: `line ${number} is not UTF-8` }];
  if (SCALAR.test(text)) return [{ json: null }];
  const hasMark = number === 1 && line[0] === 0xef;
  if (!(line[first] === OPEN || hasMark) || line[last] !== CLOSE) {
    return [{
      what: `line ${number} is not JSON: expected one complete object`,
    }];
  }
  try {
    return [{ json: parsePythonJson(text) }];
  } catch (error) {
    const why = jsonFault(error).replace(/, line 1, (column \d+)$/, ", $1");
    return [{ what: `line ${number} is not JSON (${why})` }];
  }
}

/** Parses an array up to the first invalid element, since the start of the next element cannot be known. */
function elementsOf(text: string): Read[] {
  const { elements, error } = parsePythonArray(text);
  const read: Read[] = elements.map((json) => ({ json }));
  if (error === undefined) return read;
  const number = elements.length + 1;
  return [...read, {
    what: `record ${number} is not JSON, and no record after it can be read (${
      jsonFault(error)
    })`,
  }];
}
