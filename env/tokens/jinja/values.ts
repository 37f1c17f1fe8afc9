/**
 * Defines the values of templates: JSON values as in env/python/python_value.ts, and other Python objects.
 *
 * A list is represented by an array, a tuple by a {@linkcode Tuple}, and a dict by a `Map`. Keys other than strings are
 * compared by Python's rules (env/tokens/jinja/compare.ts).
 */

import type { Float } from "../../python/python_value.ts";
import { JinjaError, typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";

/** The value of an expression. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | List
  | Dict
  | PyObject;

/** A list or a {@linkcode Tuple}. */
export type List = Value[];

/** A dict, in insertion order. */
export type Dict = Map<Value, Value>;

/** The keyword arguments of a call. */
export type Keywords = ReadonlyMap<string, Value>;

/** The keyword arguments of a call that has none. */
export const NO_KEYWORDS: Keywords = new Map();

/** A Python tuple. */
export class Tuple extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  /** Creates a tuple with the given items. */
  static make(values: Iterable<Value>): Tuple {
    const tuple = new Tuple();
    for (const value of values) tuple.push(value);
    return tuple;
  }
}

/** A group returned by the filter `groupby`: a named tuple with `grouper` and `list`. */
export class GroupTuple extends Tuple {
  get grouper(): Value {
    return this[0]!;
  }

  get list(): Value {
    return this[1]!;
  }
}

/** A Python object with no JSON equivalent. */
export abstract class PyObject {
  abstract readonly typeName: string;

  /** Implements `repr(self)`. */
  repr(): string {
    return `<${this.typeName} object>`;
  }

  /** Returns `self.name`, or `undefined` if the attribute does not exist. */
  attribute(_name: string): Value | undefined {
    return undefined;
  }

  /** Returns an iterator, or `undefined` if the object is not iterable. */
  iterate(): Iterator<Value> | undefined {
    return undefined;
  }

  /** Implements Python's `len(self)`. Returns `undefined` if the object has no length. */
  length(): number | undefined {
    return undefined;
  }
}

/** A value that a template can call, such as a function or a macro. */
export abstract class Callable extends PyObject {
  abstract call(machine: Machine, args: List, keywords: Keywords): Value;
}

/** A built-in function as a template value. */
export class Builtin extends Callable {
  override readonly typeName = "function";

  constructor(
    readonly name: string,
    readonly run: (
      machine: Machine,
      args: List,
      keywords: Keywords,
    ) => Value,
  ) {
    super();
  }

  override call(machine: Machine, args: List, keywords: Keywords): Value {
    return this.run(machine, args, keywords);
  }

  override repr(): string {
    return `<function ${this.name}>`;
  }
}

/**
 * The value of a missing variable, key or attribute. It prints as an empty string and iterates as an empty sequence.
 * Most other uses throw an error.
 */
export class Undefined extends PyObject {
  override readonly typeName = "Undefined";
  readonly #describe: () => string;

  /**
   * Creates an undefined value.
   * @param describe Returns the error message. Called only if the message is needed.
   */
  constructor(describe: () => string) {
    super();
    this.#describe = describe;
  }

  /** Creates the value of a missing variable. */
  static variable(name: string): Undefined {
    return new Undefined(() => `'${name}' is undefined`);
  }

  /** Creates the value of a missing attribute or key. */
  static member(owner: Value, name: Value): Undefined {
    return new Undefined(() => {
      const type = owner === null ? "None" : `${typeName(owner)} object`;
      return typeof name === "string"
        ? `'${type}' has no attribute '${name}'`
        : `${type} has no element ${String(name)}`;
    });
  }

  /** Returns the error to throw if the value is used. */
  error(): JinjaError {
    return new JinjaError("undefined", this.#describe());
  }

  override repr(): string {
    return "Undefined";
  }

  override iterate(): Iterator<Value> {
    return [].values();
  }

  override length(): number {
    return 0;
  }
}

/** Text that was marked as safe by `safe` or `escape`. Strings that are concatenated with it are escaped for HTML. */
export class Markup extends PyObject {
  override readonly typeName = "Markup";
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  /** Converts a value to markup, escaping it unless it is markup already. */
  static escape(value: Value, print: (value: Value) => string): Markup {
    return value instanceof Markup ? value : new Markup(
      print(value).replace(/[&<>'"]/g, (character) => ENTITIES[character]!),
    );
  }

  override iterate(): Iterator<Value> {
    return characters(this.text).values();
  }

  override length(): number {
    return stringLength(this.text);
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&#39;",
  '"': "&#34;",
};

/** Converts markup to a plain string, and returns other values unchanged. In Python, markup is a subclass of `str`. */
export function plain(value: Value): Value {
  return value instanceof Markup ? value.text : value;
}

/** A generator or iterator. It can be iterated only once, is always true in conditions, and has no length. */
export class Iteration extends PyObject {
  override readonly typeName: string;
  readonly #iterator: Iterator<Value>;

  constructor(iterator: Iterator<Value>, typeName = "generator") {
    super();
    this.#iterator = iterator;
    this.typeName = typeName;
  }

  override iterate(): Iterator<Value> {
    return this.#iterator;
  }
}

/** A Python `range(start, stop, step)`. */
export class Range extends PyObject {
  override readonly typeName = "range";
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly #length: number;

  constructor(start: number, stop: number, step: number) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    this.#length = Math.max(0, Math.ceil((stop - start) / step));
  }

  /** Returns the numbers of the range. */
  values(): number[] {
    return Array.from(
      { length: this.#length },
      (_, i) => this.start + i * this.step,
    );
  }

  /** Returns a slice of the range. The bounds must already be resolved. */
  slice(start: number, stop: number, step: number): Range {
    const at = (place: number) => this.start + place * this.step;
    return new Range(at(start), at(stop), this.step * step);
  }

  override iterate(): Iterator<Value> {
    return this.values().values();
  }

  override length(): number {
    return this.#length;
  }

  override repr(): string {
    const { start, stop, step } = this;
    return `range(${start}, ${stop}${step === 1 ? "" : `, ${step}`})`;
  }

  override attribute(name: string): Value | undefined {
    if (name === "start" || name === "stop" || name === "step") {
      return this[name];
    }
    return undefined;
  }
}

/** The view that a dict's `keys()`, `values()` or `items()` returns. */
export class DictView extends PyObject {
  override readonly typeName: string;
  readonly #items: () => Value[];
  readonly #dict: Dict;

  constructor(kind: "keys" | "values" | "items", dict: Dict) {
    super();
    this.typeName = `dict_${kind}`;
    this.#dict = dict;
    this.#items = kind === "items"
      ? () => Array.from(dict, (entry) => Tuple.make(entry))
      : () => [...dict[kind]()];
  }

  /** Returns the current items of the view. */
  values(): Value[] {
    return this.#items();
  }

  override iterate(): Iterator<Value> {
    return this.#items().values();
  }

  override length(): number {
    return this.#dict.size;
  }
}

/** The result of `namespace()`, the only kind of object whose attributes a template may assign. */
export class Namespace extends PyObject {
  override readonly typeName = "Namespace";
  readonly members: Map<Value, Value>;

  constructor(members: Map<Value, Value>) {
    super();
    this.members = members;
  }

  override attribute(name: string): Value | undefined {
    return this.members.get(name);
  }
}

/** Checks whether a value is a list and not a tuple. */
export function isList(value: Value): boolean {
  return Array.isArray(value) && !(value instanceof Tuple);
}

/** Returns the name of a value's type in Python. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case "string":
      return "str";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
  }
  if (value === null) return "NoneType";
  if (value instanceof Map) return "dict";
  if (value instanceof Tuple) return "tuple";
  if (Array.isArray(value)) return "list";
  return value instanceof PyObject ? value.typeName : "float";
}

/** Implements Python's `bool(value)`. */
export function isTrue(value: Value): boolean {
  switch (typeof value) {
    case "string":
      return value !== "";
    case "boolean":
      return value;
    case "number":
      return value !== 0;
    case "bigint":
      return value !== 0n;
  }
  if (value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Map) return value.size > 0;
  if (value instanceof PyObject) return (value.length() ?? 1) > 0;
  return value.value !== 0;
}

/**
 * Returns the items of a list, tuple, string, markup, dict, dict view, range or undefined value, or `undefined` for any
 * other value. A list or tuple itself is returned, not a copy.
 */
export function sized(value: Value): List | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value === "string") return characters(value);
  if (value instanceof Markup) return characters(value.text);
  if (value instanceof Map) return [...value.keys()];
  if (value instanceof DictView || value instanceof Range) {
    return value.values();
  }
  return value instanceof Undefined ? [] : undefined;
}

/**
 * Returns an iterator over a value.
 * @throws {JinjaError} If the value is not iterable.
 */
export function iterate(value: Value): Iterator<Value> {
  const items = sized(value);
  if (items !== undefined) return items.values();
  const iterator = value instanceof PyObject ? value.iterate() : undefined;
  if (iterator !== undefined) return iterator;
  throw typeError(`'${typeName(value)}' object is not iterable`);
}

/**
 * Lists the items of a value as Python's `list(value)` does, but returns a list or tuple itself instead of a copy.
 * @throws {JinjaError} If the value is not iterable.
 */
export function listOf(value: Value, machine: Machine): List {
  const items = sized(value);
  if (items !== undefined) {
    machine.spend(items.length);
    return items;
  }
  const list: Value[] = [];
  const iterator = iterate(value);
  for (let next = iterator.next(); !next.done; next = iterator.next()) {
    machine.spend(1);
    list.push(next.value);
  }
  return list;
}

/**
 * Implements Python's `len(value)`.
 * @throws {JinjaError} If the value has no length.
 */
export function lengthOf(value: Value): number {
  if (typeof value === "string") return stringLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  const length = value instanceof PyObject ? value.length() : undefined;
  if (length !== undefined) return length;
  throw typeError(`object of type '${typeName(value)}' has no len()`);
}

const SURROGATES = /[\ud800-\udfff]/;

/** Returns the length of a string in code points, as in Python. */
export function stringLength(text: string): number {
  if (!SURROGATES.test(text)) return text.length;
  let length = 0;
  for (let i = 0; i < text.length; i++, length++) {
    if (text.codePointAt(i)! > 0xffff) i++;
  }
  return length;
}

/** Splits a string into code points. */
export function characters(text: string): string[] {
  return SURROGATES.test(text) ? [...text] : text.split("");
}

/**
 * Checks whether a string contains no surrogates. If so, its indices in UTF-16 code units and in code points are the
 * same.
 */
export function isPlain(text: string): boolean {
  return !SURROGATES.test(text);
}

/**
 * Converts a value to an index of a sequence. An int beyond the safe integers becomes an infinity.
 * @throws {JinjaError} If the value is not an int.
 */
export function indexOf(value: Value, what = "indices"): number {
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "bigint") return value < 0n ? -Infinity : Infinity;
  if (value instanceof Undefined) throw value.error();
  throw typeError(`${what} must be integers, not '${typeName(value)}'`);
}
