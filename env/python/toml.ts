/**
 * Parses TOML as Python does: ints and floats stay distinct, and objects keep their key order, except that integer-like
 * keys come first.
 */

import { parse, TomlDate, TomlError } from "smol-toml";
import { DataError } from "../errors.ts";
import type { ParseOptions } from "./python_json.ts";
import {
  Float,
  type JsonObject,
  type JsonValue,
  normalInt,
} from "./python_value.ts";

/**
 * Parses a TOML document. Dates and times become ISO strings.
 * @throws {DataError} If the text is not valid TOML; the message names the line and the column.
 */
export function parseToml(
  text: string,
  { path }: ParseOptions = {},
): JsonObject {
  try {
    return objectOf(parse(text, { integersAsBigInt: true }));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.split("\n");
    throw new DataError(
      `Cannot read TOML${
        path === undefined ? "" : ` in "${path}"`
      }: ${what}, line ${error.line}, column ${error.column}`,
      path === undefined ? {} : { path },
    );
  }
}

function objectOf(table: object): JsonObject {
  return new Map(
    Object.entries(table).map(([key, value]) => [key, valueOf(value)]),
  );
}

/** Converts a parsed value. The parser returns ints as bigints, so every JavaScript number is a float. */
function valueOf(value: unknown): JsonValue {
  if (typeof value === "bigint") return normalInt(value);
  if (typeof value === "number") {
    return Number.isInteger(value) ? new Float(value) : value;
  }
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (value instanceof TomlDate) return value.toISOString();
  if (Array.isArray(value)) return value.map(valueOf);
  if (typeof value === "object" && value !== null) return objectOf(value);
  throw new TypeError(
    `Cannot convert a value of type ${typeof value} from TOML`,
  );
}
