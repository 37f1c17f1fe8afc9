/** Lenient readers for JSON from servers: a field of an unexpected type is read as missing. */

/** A JSON object. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Checks whether a value is an object, but not an array. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the objects in an array. A single object counts as an array of one, any other value as an empty array. */
export function recordsIn(value: unknown): readonly JsonRecord[] {
  return [value].flat().filter(isRecord);
}

/** Returns the object, or the first object of an array; an empty object if there is none. */
export function recordIn(value: unknown): JsonRecord {
  return recordsIn(value)[0] ?? {};
}

/** Returns a text that is not blank, or `undefined` for any other value. */
export function wordsIn(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** Returns a number or the value of a numeric string, or `undefined` for any other value. */
export function numberOf(value: unknown): number | undefined {
  const number = wordsIn(value) === undefined ? value : Number(value);
  return Number.isFinite(number) ? number as number : undefined;
}

/** Returns a finite positive number; 0 for any other value. */
export function countIn(value: unknown): number {
  return typeof value === "number" && value > 0 && Number.isFinite(value)
    ? Math.floor(value)
    : 0;
}
