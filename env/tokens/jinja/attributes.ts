/**
 * Implements attribute access, subscripts and slices (`value.name`, `value[key]`, `value[a:b:c]`) with the rules of
 * Jinja's sandbox.
 */

import { isFloat } from "../../python/python_number.ts";
import { type Method, method, methodTable } from "./arguments.ts";
import { equals, isNumber, lookup } from "./compare.ts";
import { JinjaError, typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import { markupMethod } from "./markup_methods.ts";
import { STRING_METHODS } from "./string_methods.ts";
import { str } from "./marked_text.ts";
import {
  Callable,
  characters,
  type Dict,
  DictView,
  GroupTuple,
  indexOf,
  isList,
  isPlain,
  type Keywords,
  type List,
  Markup,
  plain,
  PyObject,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

const DICT_METHODS: ReadonlyMap<string, Method<Dict>> = methodTable([
  method<Dict>(
    "get",
    "key, default?, /",
    (self, [key = null, otherwise = null], machine) =>
      or(lookup(self, key, machine), otherwise),
  ),
  method<Dict>("items", "/", (self) => new DictView("items", self)),
  method<Dict>("keys", "/", (self) => new DictView("keys", self)),
  method<Dict>("values", "/", (self) => new DictView("values", self)),
  method<Dict>("copy", "/", (self) => new Map(self)),
]);

const LIST_METHODS: ReadonlyMap<string, Method<List>> = methodTable([
  method<List>("count", "value, /", (self, [value = null], machine) => {
    machine.spend(self.length);
    return self.filter((one) => equals(one, value, machine)).length;
  }),
  method<List>("index", "value, /", (self, [value = null], machine) => {
    machine.spend(self.length);
    const at = self.findIndex((one) => equals(one, value, machine));
    if (at < 0) throw typeError("the value is not in the list");
    return at;
  }),
  method<List>("copy", "/", (self) => self.slice()),
]);

const TUPLE_METHODS: ReadonlyMap<string, Method<List>> = new Map(
  [...LIST_METHODS].filter(([name]) => name !== "copy"),
);

/** The methods of Python's dicts that modify the dict. The sandbox rejects them. */
const UNSAFE_DICT: ReadonlySet<string> = new Set(
  ["clear", "pop", "popitem", "setdefault", "update"],
);
const UNSAFE_LIST: ReadonlySet<string> = new Set(
  "append clear pop reverse insert sort extend remove".split(" "),
);

/** Checks whether dicts have a method with a given name. This includes the methods that the sandbox rejects. */
export function isDictAttribute(name: string): boolean {
  return DICT_METHODS.has(name) || UNSAFE_DICT.has(name);
}

/** A method that is bound to its object, as in `value.name(...)`. */
class BoundMethod<T extends Value> extends Callable {
  override readonly typeName = "builtin_function_or_method";
  readonly #self: T;
  readonly #method: Method<T>;

  constructor(self: T, method: Method<T>) {
    super();
    this.#self = self;
    this.#method = method;
  }

  override call(machine: Machine, args: List, keywords: Keywords): Value {
    const self = plain(this.#self);
    if (typeof self === "string") machine.spendText(self);
    return this.#method.call(this.#self, args, keywords, machine);
  }

  override repr(): string {
    return `<built-in method ${this.#method.name} of ${
      typeName(this.#self)
    } object>`;
  }
}

/**
 * Implements Jinja's `value.name`, which looks up an attribute first and then a key.
 * @returns The value, or an {@linkcode Undefined} if neither exists.
 * @throws {JinjaError} If `value` is undefined in the template.
 */
export function getAttribute(
  value: Value,
  name: string,
  machine: Machine,
): Value {
  const own = ownAttribute(value, name);
  if (own !== undefined) return own;
  return or(item(value, name, machine), Undefined.member(value, name));
}

/**
 * Implements Jinja's `value[key]`, which looks up a key or an index first and then an attribute.
 * @returns The value, or an {@linkcode Undefined} if none of them exists.
 * @throws {JinjaError} If `value` is undefined in the template.
 */
export function getItem(value: Value, key: Value, machine: Machine): Value {
  const found = item(value, key, machine);
  if (found !== undefined) return found;
  const own = typeof key === "string" ? ownAttribute(value, key) : undefined;
  return or(own, Undefined.member(value, key));
}

/** Calls `value.name(...)`. For strings and dicts, this avoids creating a bound method. */
export function callMethod(
  value: Value,
  name: string,
  { args, keywords, machine }: {
    readonly args: List;
    readonly keywords: Keywords;
    readonly machine: Machine;
  },
): Value {
  if (typeof value === "string") {
    const own = STRING_METHODS.get(name);
    if (own !== undefined) {
      machine.spendText(value);
      return own.call(value, args, keywords, machine);
    }
  } else if (value instanceof Map) {
    const own = DICT_METHODS.get(name);
    if (own !== undefined) return own.call(value, args, keywords, machine);
  }
  const callee = getAttribute(value, name, machine);
  return call(callee, { args, keywords, machine });
}

/**
 * Implements Python's `callee(...)`.
 * @throws {JinjaError} If the value is not callable.
 */
export function call(
  callee: Value,
  { args, keywords, machine }: {
    readonly args: List;
    readonly keywords: Keywords;
    readonly machine: Machine;
  },
): Value {
  machine.spend(1);
  if (callee instanceof Callable) return callee.call(machine, args, keywords);
  if (callee instanceof Undefined) throw callee.error();
  throw typeError(`'${typeName(callee)}' object is not callable`);
}

/**
 * Returns `value`, or `otherwise` if `value` is `undefined`. The operator `??` would also replace `null`, which
 * represents Python's `None`.
 */
function or(value: Value | undefined, otherwise: Value): Value {
  return value === undefined ? otherwise : value;
}

/**
 * Returns an attribute of the Python object itself, or `undefined` if it has no attribute with that name.
 * @throws {JinjaError} If `value` is undefined in the template.
 */
export function ownAttribute(value: Value, name: string): Value | undefined {
  if (typeof value === "string") return bound(value, STRING_METHODS.get(name));
  if (value instanceof Markup) return bound(value, markupMethod(name));
  if (value instanceof Map) {
    return UNSAFE_DICT.has(name)
      ? unsafe(value, name)
      : bound(value, DICT_METHODS.get(name));
  }
  if (Array.isArray(value)) return listAttribute(value, name);
  if (value instanceof Undefined) {
    if (/^__.*__$/.test(name)) return undefined;
    throw value.error();
  }
  if (value instanceof PyObject) return value.attribute(name);
  return numberAttribute(value, name);
}

function listAttribute(value: List, name: string): Value | undefined {
  if (isList(value)) {
    return UNSAFE_LIST.has(name)
      ? unsafe(value, name)
      : bound(value, LIST_METHODS.get(name));
  }
  if (value instanceof GroupTuple && (name === "grouper" || name === "list")) {
    return value[name];
  }
  return bound(value, TUPLE_METHODS.get(name));
}

function numberAttribute(value: Value, name: string): Value | undefined {
  if (!isNumber(value)) return undefined;
  if (name === "real") {
    return typeof value === "boolean" ? Number(value) : value;
  }
  if (name === "is_integer" && isFloat(value)) {
    const whole = !(typeof value === "number");
    return bound(value, method<Value>(name, "/", () => whole));
  }
  if (name === "bit_length" && !isFloat(value)) {
    const magnitude = BigInt(value) < 0n ? -BigInt(value) : BigInt(value);
    const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
    return bound(value, method<Value>(name, "/", () => bits));
  }
  return undefined;
}

function bound<T extends Value>(
  self: T,
  method: Method<T> | undefined,
): Value | undefined {
  return method === undefined ? undefined : new BoundMethod(self, method);
}

/** Returns the undefined value that results from accessing a method that the sandbox rejects. */
function unsafe(value: Value, name: string): Undefined {
  const type = typeName(value);
  return new Undefined(() =>
    `access to attribute '${name}' of '${type}' object is unsafe.`
  );
}

/**
 * Returns `value[key]`, or `undefined` if Python would raise a `TypeError` or a `LookupError`.
 * @throws {JinjaError} If `value` is undefined in the template.
 */
function item(value: Value, key: Value, machine: Machine): Value | undefined {
  if (value instanceof Map) {
    if (typeof key === "string") return value.get(key);
    try {
      return lookup(value, key, machine);
    } catch (error) {
      if (error instanceof JinjaError && error.kind === "type") {
        return undefined;
      }
      throw error;
    }
  }
  if (value instanceof Undefined) throw value.error();
  const index = typeof key === "boolean" ? Number(key) : key;
  if (typeof index !== "number" || !Number.isInteger(index)) return undefined;
  if (Array.isArray(value)) {
    return value[index < 0 ? index + value.length : index];
  }
  if (typeof value === "string") return characterAt(value, index);
  if (value instanceof Markup) {
    const character = characterAt(value.text, index);
    return character === undefined ? undefined : new Markup(character);
  }
  if (value instanceof Range) {
    const at = index < 0 ? index + value.length() : index;
    return at >= 0 && at < value.length()
      ? value.start + at * value.step
      : undefined;
  }
  return undefined;
}

function characterAt(text: string, index: number): string | undefined {
  const units = isPlain(text) ? text : [...text];
  return units[index < 0 ? index + units.length : index];
}

/**
 * Implements Python's `value[start:stop:step]`.
 * @throws {JinjaError} If the value is not a sequence, a bound is not an int, or the step is 0.
 */
export function slice(
  value: Value,
  bounds: readonly [Value, Value, Value],
  machine: Machine,
): Value {
  if (value instanceof Undefined) throw value.error();
  if (value instanceof Markup) {
    return new Markup(str(slice(value.text, bounds, machine), machine));
  }
  if (value instanceof Range) {
    const { start, stop, step } = resolved(bounds, value.length());
    return value.slice(start, stop, step);
  }
  if (typeof value !== "string" && !Array.isArray(value)) {
    throw typeError(
      value instanceof Map
        ? "unhashable type: 'slice'"
        : `'${typeName(value)}' object is not subscriptable`,
    );
  }
  const items = typeof value === "string" && !isPlain(value)
    ? characters(value)
    : value;
  const { start, stop, step } = resolved(bounds, items.length);
  const length = Math.abs(stop - start);
  machine.spend(1 + (step === 1 ? length >> 4 : length));
  if (typeof items === "string") {
    return step === 1
      ? items.slice(start, stop)
      : picked(items, { start, stop, step }).join("");
  }
  const list = step === 1
    ? items.slice(start, stop)
    : picked(items, { start, stop, step });
  machine.spend(list.length);
  if (typeof value === "string") return list.join("");
  return value instanceof Tuple ? Tuple.make(list) : list;
}

interface Bounds {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
}

function picked(
  items: string | readonly Value[],
  { start, stop, step }: Bounds,
): Value[] {
  const list: Value[] = [];
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) {
    list.push(items[i]!);
  }
  return list;
}

/** Resolves the bounds of a slice for a sequence of the given length, as Python does. */
function resolved(
  [start, stop, step]: readonly [Value, Value, Value],
  length: number,
): Bounds {
  const by = step === null ? 1 : indexOf(step, "slice indices");
  if (by === 0) throw typeError("slice step cannot be zero");
  const clamp = (value: Value, otherwise: number) => {
    if (value === null) return otherwise;
    const index = indexOf(value, "slice indices");
    const at = index < 0 ? index + length : index;
    return by > 0
      ? Math.min(Math.max(at, 0), length)
      : Math.min(Math.max(at, -1), length - 1);
  };
  const from = clamp(start, by > 0 ? 0 : length - 1);
  const to = clamp(stop, by > 0 ? length : -1);
  return { start: from, stop: by === 1 ? Math.max(from, to) : to, step: by };
}
