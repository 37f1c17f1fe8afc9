/**
 * Generates unusual arguments for calls: values of other types, spellings that pydantic coerces, and extra or missing
 * keys.
 */

import {
  add,
  isPythonNumber,
  negate,
  numberRepr,
  toDouble,
  toFloat,
} from "../../env/python/python_number.ts";
import {
  copyValue,
  Float,
  type JsonObject,
  type JsonValue,
} from "../../env/python/python_value.ts";
import type { Rng } from "../../env/random.ts";

const ODD: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2,
  0.5,
  new Float(1e300),
  Infinity,
  -Infinity,
  NaN,
  10n ** 20n,
  new Float(2),
  new Float(-0),
  new Float(1e16),
  "",
  " ",
  "1",
  " 2 ",
  "-0",
  "1_0",
  "1.00",
  "1e3",
  "inf",
  "yes",
  "None",
  "é😀",
  "\ud800",
  "'\"",
  "a very long text ".repeat(5),
  "ü".repeat(40),
  [],
  [1],
  ["a", null],
  [[], new Map()],
  new Map(),
  new Map<string, JsonValue>([["id", "a"], ["amount", 1]]),
];

/** Returns an unusual value, which is invalid for most parameters. */
export function oddValue(rng: Rng): JsonValue {
  return copyValue(rng.pick(ODD));
}

/**
 * Usually respells a number or changes it slightly, and sometimes changes a string. Otherwise, returns an unusual
 * value.
 */
function respelt(rng: Rng, value: JsonValue): JsonValue {
  if (isPythonNumber(value) && rng.next() < 0.7) {
    return rng.pick<JsonValue>([
      numberRepr(value),
      ` ${numberRepr(value)}`,
      `+${numberRepr(value)}`,
      `${numberRepr(value)}.0`,
      toFloat(toDouble(value)),
      add(value, 1),
      add(value, 0.5),
      negate(value),
    ]);
  }
  if (typeof value === "string" && rng.next() < 0.4) {
    return rng.pick([
      ` ${value}`,
      value.toUpperCase(),
      `${value}x`,
      value.slice(1),
    ]);
  }
  return oddValue(rng);
}

/** Returns a copy of a value in which one part is replaced, removed, repeated or added. */
function oddAt(rng: Rng, value: JsonValue): JsonValue {
  if (Array.isArray(value) && value.length > 0 && rng.next() < 0.7) {
    const at = rng.int(value.length);
    if (rng.next() < 0.2) return [...value, value[at]!];
    if (rng.next() < 0.2) return value.toSpliced(at, 1);
    return value.with(at, oddAt(rng, value[at]!));
  }
  if (value instanceof Map && value.size > 0 && rng.next() < 0.8) {
    return oddMember(rng, value);
  }
  return respelt(rng, value);
}

/** Returns a copy of an object in which one member is replaced, removed or added. */
function oddMember(rng: Rng, object: JsonObject): JsonObject {
  const odd = new Map(object);
  const key = rng.pick([...object.keys()]);
  const draw = rng.next();
  if (draw < 0.1) odd.delete(key);
  else if (draw < 0.2) {
    odd.set(
      rng.pick(["x", "", "self", "requestor", "tool_name", "é", "Id"]),
      oddValue(rng),
    );
  } else odd.set(key, oddAt(rng, odd.get(key)!));
  return odd;
}

/** Returns arguments or, with probability `share`, a copy of them with an unusual change. */
export function maybeOdd(
  rng: Rng,
  args: JsonObject,
  share: number,
): JsonObject {
  if (rng.next() >= share) return args;
  if (args.size > 0) return oddMember(rng, args);
  return new Map([["x", oddValue(rng)]]);
}
