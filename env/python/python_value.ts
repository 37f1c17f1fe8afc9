/**
 * The values that JSON has in Python: integers and floats keep apart, objects keep their key order.
 *
 * A JavaScript number that is an integer is a Python `int`, one that is not (or is infinite or NaN) a
 * `float`; a float with a whole value (`200.0`, `-0.0`, `1e16`) is a {@linkcode Float}, and an int outside
 * the safe integers is a `bigint`.
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

/** What Python computes with: `int` (number or bigint), `float` (number or {@linkcode Float}), `bool`. */
export type PythonNumber = number | bigint | boolean | Float;

/** A copy of `value` that shares nothing with it that could change. */
export function copyValue<T extends JsonValue>(value: T): T;
export function copyValue(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Map) {
    const copy: JsonObject = new Map();
    for (const [key, member] of value) copy.set(key, copyValue(member));
    return copy;
  }
  return Array.isArray(value) ? value.map(copyValue) : value;
}

/**
 * Plain JavaScript data as a JSON value: integral numbers become ints, others floats. Key order is
 * JavaScript's, which puts keys that look like integers first.
 * @throws {TypeError} If something in it is no data: a function, a symbol, an instance of a class.
 */
export function fromPlain(value: unknown): JsonValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Object.is(value, -0) ? 0 : intOrFloat(value);
    case "bigint":
      return normalInt(value);
    case "object":
      return fromPlainObject(value);
    default:
      throw new TypeError(`Cannot make a JSON value of a ${typeof value}`);
  }
}

/**
 * A JSON value as plain JavaScript data: objects for maps, numbers for {@linkcode Float}s. Loses the spelling
 * of whole floats, digits of ints outside the safe integers, and the order of keys that look like integers.
 */
export function toPlain(value: JsonValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Float) return value.value;
  if (Array.isArray(value)) return value.map(toPlain);
  return Object.fromEntries(
    Array.from(value, ([key, member]) => [key, toPlain(member)]),
  );
}

/** The int of a `bigint`: a number where that is exact. */
export function normalInt(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value;
}

/** A plain number read as an int where it is integral, else as a float. */
function intOrFloat(value: number): number | bigint {
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? BigInt(value)
    : value;
}

function fromPlainObject(value: object | null): JsonValue {
  if (value === null || value instanceof Float) return value;
  if (Array.isArray(value)) return value.map(fromPlain);
  if (value instanceof Map) {
    return new Map(
      Array.from(value, ([key, member]) => [String(key), fromPlain(member)]),
    );
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(
      `Cannot make a JSON value of a ${value.constructor.name}`,
    );
  }
  return new Map(
    Object.entries(value).map(([key, member]) => [key, fromPlain(member)]),
  );
}
