/** Provides arbitrary values for property tests. */

import fc from "fast-check";
import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../env/python/python_json.ts";
import { normalInt } from "../../env/python/python_value.ts";
import type { PythonNumber } from "../../env/python/python_value.ts";

/** Returns arbitrary strings, including strings with lone surrogates. */
export function text(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom("it's", '"', `'"`, "\ud800", "\u212a", "ß", "10", "9"),
  );
}

/** Returns arbitrary Python floats in taulab's representation. */
export function float(): fc.Arbitrary<number | Float> {
  return fc.oneof(
    fc.double(),
    fc.integer({ min: -1e6, max: 1e6 }).map((eighths) => eighths / 8),
    fc.integer({ min: -1e6, max: 1e6 }).map((cents) => cents / 100),
  ).map((value) => Number.isInteger(value) ? new Float(value) : value);
}

/** Returns arbitrary Python ints in taulab's representation. */
export function int(): fc.Arbitrary<number | bigint> {
  return fc.oneof(
    fc.bigInt(),
    fc.integer().map(BigInt),
    fc.maxSafeInteger().map(BigInt),
  )
    .map(normalInt);
}

/** Returns arbitrary Python numbers: ints, floats and booleans. */
export function pythonNumber(): fc.Arbitrary<PythonNumber> {
  return fc.oneof(int(), float(), fc.boolean());
}

/** Returns arbitrary JSON values. */
export function jsonValue(): fc.Arbitrary<JsonValue> {
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(text(), int(), float(), fc.boolean(), fc.constant(null)),
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(text(), tie("value")), { maxLength: 4 }).map((
        members,
      ) => new Map(members) as JsonObject),
    ),
  }));
  return value;
}
