/** Detects a recording's format, and validates its records. */

import type { z } from "zod";
import { DataError, messageOf } from "../errors.ts";
import type { JsonObject } from "../python/python_json.ts";
import { explainFirstIssue } from "../python/python_schema.ts";

/**
 * The formats of recordings, each with the keys that identify its records. If several formats match, the first is used.
 */
export type FormatMarks<F extends string> = readonly (readonly [
  format: F,
  keys: readonly string[],
])[];

/**
 * Detects the format of a file's records.
 * @throws {DataError} If no record has a known format; the message names the file.
 */
export function formatOf<F extends string>(
  records: readonly JsonObject[],
  { marks, path }: { marks: FormatMarks<F>; path: string },
): F {
  const format = marks.find(([, keys]) =>
    records.some((record) => keys.every((key) => record.has(key)))
  )?.[0];
  if (format !== undefined) return format;
  throw new DataError(
    `Cannot replay "${path}": its records have an unknown format`,
    {
      path,
      hint: `use a recording in one of these formats: ${
        marks.map(([name]) => name).join(", ")
      }`,
    },
  );
}

/** A record, with its file and its position in the file. */
export interface RecordAt {
  readonly record: JsonObject;
  readonly path: string;
  /** The record's position in the file, from 1. */
  readonly number: number;
}

/**
 * Validates a record.
 * @throws {DataError} If a field is missing or invalid; the message names the file, the record and the field.
 */
export function checkedRecord<T>(
  schema: z.ZodType<T>,
  { record, path, number, format }: RecordAt & { readonly format: string },
): T {
  const result = schema.safeParse(record);
  if (result.success) return result.data;
  throw new DataError(
    `Cannot replay "${path}": record ${number} is not a valid "${format}" record: ${
      explainFirstIssue(result.error)
    }`,
    { path, cause: result.error },
  );
}

/** Returns the message of an error in a record without the path, for lists of faults that name the file themselves. */
export function recordFault(error: DataError, path: string): string {
  const message = messageOf(error);
  const start = `Cannot replay "${path}": `;
  return message.startsWith(start) ? message.slice(start.length) : message;
}
