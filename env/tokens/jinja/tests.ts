/** Implements Jinja's tests: the names that may follow `is`, such as `defined`. */

import { type Method, method, methodTable } from "./arguments.ts";
import { contains, equals, isNumber, order } from "./compare.ts";
import { isFloat } from "../../python/python_number.ts";
import type { Machine } from "./machine.ts";
import { ARITHMETIC } from "./operators.ts";
import { isLower, isUpper } from "./string_methods.ts";
import { str } from "./marked_text.ts";
import {
  Callable,
  iterate,
  Markup,
  PyObject,
  Range,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

type Check = (value: Value, other: Value, machine: Machine) => boolean;

/** Tests without an argument. */
const ALONE: Readonly<
  Record<string, (value: Value, machine: Machine) => boolean>
> = {
  boolean: (value) => typeof value === "boolean",
  // Jinja's Undefined has a __call__ method that raises an error.
  callable: (value) => value instanceof Callable || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  escaped: (value) => value instanceof Markup,
  even: (value, machine) => leaves(value, { by: 2, rest: 0, machine }),
  false: (value) => value === false,
  float: (value) => isNumber(value) && isFloat(value),
  integer: (value) => typeName(value) === "int",
  iterable: isIterable,
  lower: (value, machine) => isLower(str(value, machine)),
  mapping: (value) => value instanceof Map,
  none: (value) => value === null,
  number: isNumber,
  odd: (value, machine) => leaves(value, { by: 2, rest: 1, machine }),
  sequence: (value) =>
    typeof value === "string" || Array.isArray(value) ||
    value instanceof Map || value instanceof Range ||
    value instanceof Markup ||
    value instanceof Undefined,
  string: (value) => typeof value === "string" || value instanceof Markup,
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value, machine) => isUpper(str(value, machine)),
};

const equal: Check = (a, b, machine) => equals(a, b, machine);
const unequal: Check = (a, b, machine) => !equals(a, b, machine);
const less: Check = (a, b, machine) =>
  order(a, b, { operator: "<", machine }) < 0;
const atMost: Check = (a, b, machine) =>
  order(a, b, { operator: "<=", machine }) <= 0;
const greater: Check = (a, b, machine) =>
  order(a, b, { operator: ">", machine }) > 0;
const atLeast: Check = (a, b, machine) =>
  order(a, b, { operator: ">=", machine }) >= 0;

/** Tests with an argument. */
const WITH_OTHER: Readonly<Record<string, Check>> = {
  divisibleby: (value, by, machine) => leaves(value, { by, rest: 0, machine }),
  in: (value, container, machine) => contains(container, value, machine),
  sameas: (value, other) => Object.is(value, other),
  eq: equal,
  equalto: equal,
  "==": equal,
  ne: unequal,
  "!=": unequal,
  lt: less,
  lessthan: less,
  "<": less,
  le: atMost,
  "<=": atMost,
  gt: greater,
  greaterthan: greater,
  ">": greater,
  ge: atLeast,
  ">=": atLeast,
};

/** All tests except `filter` and `test`, keyed by name. */
export const VALUE_TESTS: ReadonlyMap<string, Method<Value>> = methodTable([
  ...Object.entries(ALONE).map(([name, check]) =>
    method<Value>(name, "", (value, _, machine) => check(value, machine))
  ),
  ...Object.entries(WITH_OTHER).map(([name, check]) =>
    method<Value>(
      name,
      "other",
      (value, [other], machine) => check(value, other!, machine),
    )
  ),
]);

function isIterable(value: Value): boolean {
  if (value instanceof PyObject) return value.iterate() !== undefined;
  return value !== null && !isNumber(value) && iterate(value) !== undefined;
}

function leaves(
  value: Value,
  { by, rest, machine }: {
    readonly by: Value;
    readonly rest: number;
    readonly machine: Machine;
  },
): boolean {
  return equals(ARITHMETIC["%"](value, by, machine), rest, machine);
}
