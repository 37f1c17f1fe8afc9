/** Implements the `loop` variable of `for`, and the functions `cycler()` and `joiner()`. */

import { typeError } from "./template_error.ts";
import { equals } from "./compare.ts";
import type { Machine } from "./machine.ts";
import {
  Builtin,
  Callable,
  iterate,
  type Keywords,
  type List,
  PyObject,
  sized,
  Tuple,
  Undefined,
  type Value,
} from "./values.ts";

/** A function that renders the body of a recursive loop for other items. */
export type Recurse = (items: Value, depth0: number) => string;

/**
 * The value of `loop`, which iterates over the items. It reads the next item early only if the template uses an
 * attribute that requires this, such as `loop.last`, because a lazy filter could yield a different item before the
 * loop's body has run.
 */
export class Loop extends Callable {
  override readonly typeName = "LoopContext";
  /** Zero-based index of the current item, or -1 before the first item. */
  index0 = -1;
  readonly #machine: Machine;
  readonly #recurse: Recurse | undefined;
  readonly #depth0: number;
  #iterator: Iterator<Value>;
  #length: number | undefined;
  #after: Value | undefined;
  #current: Value | undefined;
  #before: Value | undefined;
  #lastChanged: Tuple | undefined;

  constructor(items: Value, { machine, recurse, depth0 = 0 }: {
    readonly machine: Machine;
    readonly recurse?: Recurse | undefined;
    readonly depth0?: number;
  }) {
    super();
    this.#machine = machine;
    this.#recurse = recurse;
    this.#depth0 = depth0;
    const list = sized(items);
    this.#length = list?.length;
    this.#iterator = list?.values() ?? iterate(items);
  }

  /** Advances to the next item and returns it, or returns `undefined` after the last item. */
  next(): Value | undefined {
    const next = this.#peek();
    if (next === undefined) return undefined;
    this.#after = undefined;
    this.index0++;
    this.#before = this.#current;
    return this.#current = next;
  }

  #peek(): Value | undefined {
    if (this.#after !== undefined) return this.#after;
    const { done, value } = this.#iterator.next();
    return this.#after = done ? undefined : value;
  }

  override length(): number {
    if (this.#length !== undefined) return this.#length;
    const rest: Value[] = [];
    for (
      let next = this.#iterator.next();
      !next.done;
      next = this.#iterator.next()
    ) {
      this.#machine.spend(1);
      rest.push(next.value);
    }
    this.#iterator = rest.values();
    const peeked = this.#after === undefined ? 0 : 1;
    return this.#length = rest.length + this.index0 + 1 + peeked;
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case "index":
        return this.index0 + 1;
      case "index0":
        return this.index0;
      case "first":
        return this.index0 === 0;
      case "last":
        return this.#peek() === undefined;
      case "length":
        return this.length();
      case "revindex":
        return this.length() - this.index0;
      case "revindex0":
        return this.length() - this.index0 - 1;
      case "depth":
        return this.#depth0 + 1;
      case "depth0":
        return this.#depth0;
      case "previtem":
        return noItem(this.#before, "previous");
      case "nextitem":
        return noItem(this.#peek(), "next");
      case "cycle":
        return new Builtin("cycle", (_, args) => this.#cycle(args));
      case "changed":
        return new Builtin("changed", (_, args) => this.#changed(args));
    }
    return undefined;
  }

  override call(machine: Machine, args: List, _keywords: Keywords): Value {
    if (this.#recurse === undefined) {
      throw typeError(
        "The loop must have the 'recursive' marker to be called recursively.",
      );
    }
    const [items] = args;
    if (items === undefined || args.length > 1) {
      throw typeError(
        "loop() takes exactly one argument, the items to iterate over",
      );
    }
    return machine.nested(() => this.#recurse!(items, this.#depth0 + 1));
  }

  override repr(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length()}>`;
  }

  #cycle(args: List): Value {
    if (args.length === 0) throw typeError("no items for cycling given");
    return args[this.index0 % args.length]!;
  }

  #changed(args: List): boolean {
    const last = this.#lastChanged;
    const now = Tuple.make(args);
    if (last !== undefined && equals(last, now, this.#machine)) return false;
    this.#lastChanged = now;
    return true;
  }
}

/**
 * Returns `item`, or the template's undefined value if `item` is `undefined`. The value `null` represents Python's
 * `None` and is a valid item.
 */
function noItem(item: Value | undefined, which: string): Value {
  return item === undefined
    ? new Undefined(() => `there is no ${which} item`)
    : item;
}

/** The result of `cycler()`, an object that returns its items in turn. */
export class Cycler extends PyObject {
  override readonly typeName = "Cycler";
  readonly #items: List;
  #at = 0;

  constructor(items: List) {
    super();
    if (items.length === 0) {
      throw typeError("at least one item has to be provided");
    }
    this.#items = items;
  }

  override attribute(name: string): Value | undefined {
    switch (name) {
      case "current":
        return this.#items[this.#at];
      case "next":
        return new Builtin(name, () => {
          const item = this.#items[this.#at]!;
          this.#at = (this.#at + 1) % this.#items.length;
          return item;
        });
      case "reset":
        return new Builtin(name, () => {
          this.#at = 0;
          return null;
        });
    }
    return undefined;
  }
}

/**
 * The result of `joiner()`, a function that returns an empty string on its first call and the separator on later calls.
 */
export class Joiner extends Callable {
  override readonly typeName = "Joiner";
  readonly #separator: Value;
  #used = false;

  constructor(separator: Value) {
    super();
    this.#separator = separator;
  }

  override call(): Value {
    if (this.#used) return this.#separator;
    this.#used = true;
    return "";
  }
}
