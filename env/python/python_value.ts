/**
 * Represents Python's JSON values in JavaScript: integers and floats stay distinct, and objects keep their key order.
 *
 * An integral JavaScript number is a Python `int`; a non-integral, infinite or NaN number is a `float`. A whole float
 * (`200.0`, `-0.0`, `1e16`) is a {@linkcode Float}, and an int outside the safe integers is a `bigint`.
 */

/** A Python float with a whole value, which a JavaScript number could not distinguish from an int. */
export class Float {
  constructor(readonly value: number) {}
}

/** A JSON object: a `Map`, since JavaScript objects reorder keys that look like integers. */
export type JsonObject = Map<string, JsonValue>;

/** A JSON value that distinguishes Python's two number types. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | JsonValue[]
  | JsonObject;

/** A value that Python calculates with: `int` (number or bigint), `float` (number or {@linkcode Float}) or `bool`. */
export type PythonNumber = number | bigint | boolean | Float;

/** Copies a value deeply. */
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
 * Converts plain JavaScript data, which may contain maps and {@linkcode Float}s, to a JSON value: integral numbers
 * become ints, others floats. The key order of an object is JavaScript's, which puts integer-like keys first.
 * @throws {TypeError} If the data contains anything else, such as `undefined`, a function, a symbol or an instance of
 * another class.
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
      throw new TypeError(
        `Cannot convert a value of type ${typeof value} to JSON`,
      );
  }
}

/**
 * Converts a JSON value to plain JavaScript data: maps to objects, {@linkcode Float}s to numbers. Loses the float type
 * of whole numbers, the precision of ints outside the safe integers, and the order of integer-like keys.
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

/** Normalizes an int: returns a number if it represents the int exactly, or a `bigint` otherwise. */
export function normalInt(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER
    ? Number(value)
    : value;
}

/** Converts a JavaScript number to an int if it is integral, or to a float otherwise. */
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
      `Cannot convert an instance of ${value.constructor.name} to JSON`,
    );
  }
  return new Map(
    Object.entries(value).map(([key, member]) => [key, fromPlain(member)]),
  );
}
