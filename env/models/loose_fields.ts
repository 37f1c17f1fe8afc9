/** Reads fields of JSON from servers leniently. A field with an unexpected type is treated as missing. */

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Checks whether a value is an object and not an array. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Returns the objects in an array. A single object is treated as an array that contains this object, and any other
 * value as an empty array.
 */
export function recordsIn(value: unknown): readonly JsonRecord[] {
  return [value].flat().filter(isRecord);
}

/** Returns the value if it is an object, or the first object in an array. If there is none, returns an empty object. */
export function recordIn(value: unknown): JsonRecord {
  return recordsIn(value)[0] ?? {};
}

/** Returns the value if it is a string that is not blank, or `undefined` otherwise. */
export function wordsIn(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Returns the value of a finite number or a numeric string, or `undefined` for any other value. */
export function numberOf(value: unknown): number | undefined {
  const number = wordsIn(value) === undefined ? value : Number(value);
  return Number.isFinite(number) ? number as number : undefined;
}

/** Returns a finite positive number, rounded down, or 0 for any other value. */
export function countIn(value: unknown): number {
  return typeof value === "number" && value > 0 && Number.isFinite(value)
    ? Math.floor(value)
    : 0;
}
