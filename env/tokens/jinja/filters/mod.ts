/** Defines all filters and tests, keyed by name. */

import { type BoundArguments, method } from "../arguments.ts";
import { ownAttribute } from "../attributes.ts";
import { indexOf, isTrue, Undefined, type Value } from "../values.ts";
import { typeError } from "../template_error.ts";
import { str } from "../marked_text.ts";
import { VALUE_TESTS } from "../tests.ts";
import { type JsonOptions, PLAIN, toJson } from "../to_json.ts";
import type { Filter } from "./filter.ts";
import { NUMBER_FILTERS } from "./number_filters.ts";
import { selectionFilters } from "./selection.ts";
import { SEQUENCE_FILTERS } from "./sequences.ts";
import { TEXT_FILTERS } from "./texts.ts";

const DEFAULT = method<Value>(
  "default",
  "default_value?, boolean?",
  (value, [otherwise = "", boolean = false]) =>
    value instanceof Undefined || (isTrue(boolean) && !isTrue(value))
      ? otherwise
      : value,
);

const TO_JSON = method<Value>(
  "tojson",
  "ensure_ascii?, indent?, separators?, sort_keys?",
  (value, given, machine) =>
    toJson(value, given.length === 0 ? PLAIN : jsonOptions(given), machine),
);

function jsonOptions(
  [ensureAscii = false, indent = null, separators = null, sortKeys = false]:
    BoundArguments,
): JsonOptions {
  const [itemSeparator, keySeparator] = separatorsOf(
    separators,
    indent !== null,
  );
  return {
    ensureAscii: isTrue(ensureAscii),
    indent: indent === null
      ? null
      : typeof indent === "string"
      ? indent
      : " ".repeat(Math.max(0, Math.min(indexOf(indent), MAX_INDENT))),
    itemSeparator,
    keySeparator,
    sortKeys: isTrue(sortKeys),
  };
}

const MAX_INDENT = 1000;

function separatorsOf(value: Value, indented: boolean): [string, string] {
  if (value === null) return [indented ? "," : ", ", ": "];
  if (
    Array.isArray(value) && value.length === 2 &&
    value.every((one) => typeof one === "string")
  ) return value as [string, string];
  throw typeError("separators must be two strings");
}

const ATTR = method<Value>("attr", "name", (value, [name = null], machine) => {
  const own = ownAttribute(value, str(name, machine));
  return own === undefined ? Undefined.member(value, name) : own;
});

/** All filters, keyed by name. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map(
  [
    ...SEQUENCE_FILTERS,
    ...TEXT_FILTERS,
    ...NUMBER_FILTERS,
    DEFAULT,
    { ...DEFAULT, name: "d" },
    TO_JSON,
    ATTR,
    ...selectionFilters({
      filter: (name) => FILTERS.get(name),
      test: (name) => TESTS.get(name),
    }),
  ].map((filter) => [filter.name, filter]),
);

/** All tests, keyed by name. */
export const TESTS: ReadonlyMap<string, Filter> = new Map([
  ...VALUE_TESTS,
  named("filter", FILTERS),
  named("test", { has: (name) => TESTS.has(name) }),
]);

/** Creates the test `filter` or the test `test`, which checks whether a filter or a test with a given name exists. */
function named(
  name: string,
  registry: { has(name: string): boolean },
): [string, Filter] {
  const has = (value: Value) =>
    typeof value === "string" && registry.has(value);
  return [name, method<Value>(name, "", has)];
}
