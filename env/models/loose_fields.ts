/** Reads JSON of servers that are loose with its types: an odd field is read as one that is not there. */

/** An object of JSON. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is an object, and no list. */
export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The objects in a list; a single object is a list of one, and anything else an empty list. */
export function recordsIn(value: unknown): readonly JsonRecord[] {
  return [value].flat().filter(isRecord);
}

/** The object, or the first object of a list; an empty one where there is none. */
export function recordIn(value: unknown): JsonRecord {
  return recordsIn(value)[0] ?? {};
}

/** A text that says something; `undefined` for an empty one and all else. */
export function wordsIn(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** A number, also one that is written as text; `undefined` for anything else. */
export function numberOf(value: unknown): number | undefined {
  const number = wordsIn(value) === undefined ? value : Number(value);
  return Number.isFinite(number) ? number as number : undefined;
}

/** How many of something there are; 0 where it is not said. */
export function countIn(value: unknown): number {
  return typeof value === "number" && value > 0 && Number.isFinite(value)
    ? Math.floor(value)
    : 0;
}
