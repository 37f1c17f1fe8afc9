/**
 * JSON as Python reads and writes it: integers and floats keep apart, objects keep their key order.
 *
 * A JavaScript number that is an integer is a Python `int`, one that is not (or is infinite or NaN) a
 * `float`; a float with a whole value (`200.0`, `-0.0`, `1e16`) is a {@linkcode Float}, and an int outside
 * the safe integers is a `bigint`.
 *
 * @module
 */

/** A Python float whose value is whole, which a JavaScript number could not tell from an int. */
export class Float {
  constructor(readonly value: number) {}
}

/** A JSON object: a `Map`, since JavaScript objects reorder keys that look like integers. */
export type JsonObject = Map<string, JsonValue>;

/** A JSON value with Python's two kinds of number. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | JsonValue[]
  | JsonObject;
