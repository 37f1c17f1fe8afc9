/** Implements the filters for sequences. */

import { method } from "../arguments.ts";
import { canonicalKey, equals, order } from "../compare.ts";
import { typeError } from "../template_error.ts";
import type { Machine } from "../machine.ts";
import { ARITHMETIC } from "../operators.ts";
import { join } from "../string_methods.ts";
import { str } from "../marked_text.ts";
import {
  characters,
  type Dict,
  DictView,
  GroupTuple,
  indexOf,
  isTrue,
  iterate,
  Iteration,
  lengthOf,
  type List,
  listOf,
  Markup,
  Range,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "../values.ts";
import { attributeGetter, type Filter, folded } from "./filter.ts";

/** The filters for sequences. Parameters have the same order as in Jinja. */
export const SEQUENCE_FILTERS: readonly Filter[] = [
  method("first", "", (seq) => {
    const { done, value } = iterate(seq).next();
    return done
      ? new Undefined(() => "No first item, sequence was empty.")
      : value;
  }),
  method("last", "", (seq) => {
    const items = reversible(seq);
    if (items === undefined) {
      throw typeError(`'${typeName(seq)}' object is not reversible`);
    }
    const last = items.at(-1);
    return last === undefined
      ? new Undefined(() => "No last item, sequence was empty.")
      : last;
  }),
  method("length", "", lengthOf),
  method("count", "", lengthOf),
  method("list", "", (value, _, machine) => listOf(value, machine).slice()),
  method("reverse", "", (value, _, machine) => {
    if (typeof value === "string") return characters(value).reverse().join("");
    if (value instanceof Markup) {
      return new Markup(characters(value.text).reverse().join(""));
    }
    const items = reversible(value);
    if (items === undefined) return [...listOf(value, machine)].reverse();
    machine.spend(items.length);
    return new Iteration(
      items.toReversed().values(),
      `${typeName(value)}_reverseiterator`,
    );
  }),
  method("join", "d?, attribute?", (value, [by = "", path], machine) => {
    const items = listOf(value, machine);
    const get = path === undefined || path === null
      ? (item: Value) => item
      : attributeGetter(path, { machine });
    const texts = Array.from(items, (item) => str(get(item), machine));
    return join(str(by, machine), texts, machine);
  }),
  method(
    "items",
    "",
    (value, _, machine) => new Iteration(entries(value, machine)),
  ),
  method(
    "dictsort",
    "case_sensitive?, by?, reverse?",
    (value, [caseSensitive = false, by = "key", reverse = false], machine) => {
      if (by !== "key" && by !== "value") {
        throw typeError('You can only sort by either "key" or "value"');
      }
      const pairs = Array.from(dict(value), (entry) => Tuple.make(entry));
      return sorted(pairs, {
        key: (pair) =>
          folded((pair as Tuple)[by === "key" ? 0 : 1]!, isTrue(caseSensitive)),
        reverse: isTrue(reverse),
        machine,
      });
    },
  ),
  method(
    "sort",
    "reverse?, case_sensitive?, attribute?",
    (value, [reverse = false, caseSensitive = false, path = null], machine) => {
      const paths = typeof path === "string" ? path.split(",") : [path];
      const getters = paths.map((one) => attributeGetter(one, { machine }));
      return sorted(listOf(value, machine), {
        key: (item) =>
          getters.map((get) => folded(get(item), isTrue(caseSensitive))),
        reverse: isTrue(reverse),
        machine,
      });
    },
  ),
  method(
    "unique",
    "case_sensitive?, attribute?",
    (value, [caseSensitive = false, path = null], machine) =>
      new Iteration(unique(value, {
        key: keyOf(path, { caseSensitive, machine }),
        machine,
      })),
  ),
  method(
    "min",
    "case_sensitive?, attribute?",
    (value, [caseSensitive = false, path = null], machine) =>
      extreme(value, {
        key: keyOf(path, { caseSensitive, machine }),
        sign: -1,
        machine,
      }),
  ),
  method(
    "max",
    "case_sensitive?, attribute?",
    (value, [caseSensitive = false, path = null], machine) =>
      extreme(value, {
        key: keyOf(path, { caseSensitive, machine }),
        sign: 1,
        machine,
      }),
  ),
  method(
    "sum",
    "attribute?, start?",
    (value, [path = null, start = 0], machine) => {
      if (typeof start === "string") {
        throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
      }
      const get = attributeGetter(path, { machine });
      return listOf(value, machine).reduce(
        (sum: Value, item) => ARITHMETIC["+"](sum, get(item), machine),
        start,
      );
    },
  ),
  method(
    "groupby",
    "attribute, default?, case_sensitive?",
    (value, [path = null, otherwise, caseSensitive = false], machine) => {
      const get = attributeGetter(path, { machine, otherwise });
      const key = (item: Value) => folded(get(item), isTrue(caseSensitive));
      const items = sorted(listOf(value, machine), { key, machine });
      return groups(items, { key, get, machine });
    },
  ),
  method(
    "batch",
    "linecount, fill_with?",
    (value, [size = 1, fill], machine) =>
      new Iteration(batches(value, { size: indexOf(size), fill, machine })),
  ),
  method(
    "slice",
    "slices, fill_with?",
    (value, [count = 1, fill], machine) =>
      new Iteration(slices(value, { count: indexOf(count), fill, machine })),
  ),
];

/** Returns the items of a value that can be iterated in reverse, or `undefined` for any other value. */
function reversible(value: Value): readonly Value[] | undefined {
  if (typeof value === "string") return characters(value);
  if (value instanceof Markup) return characters(value.text);
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return [...value.keys()];
  return value instanceof Range || value instanceof DictView
    ? value.values()
    : undefined;
}

function dict(value: Value): Dict {
  if (value instanceof Map) return value;
  if (value instanceof Undefined) throw value.error();
  throw typeError(`'${typeName(value)}' object has no attribute 'items'`);
}

function* entries(value: Value, machine: Machine): Generator<Value> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Map)) {
    throw typeError("Can only get item pairs from a mapping.");
  }
  machine.spend(value.size);
  for (const entry of value) yield Tuple.make(entry);
}

function keyOf(
  path: Value,
  { caseSensitive, machine }: {
    readonly caseSensitive: Value;
    readonly machine: Machine;
  },
): (item: Value) => Value {
  const get = attributeGetter(path, { machine });
  return (item) => folded(get(item), isTrue(caseSensitive));
}

/** Implements Python's `sorted(items, key=key, reverse=reverse)`. */
function sorted(
  items: readonly Value[],
  { key, reverse = false, machine }: {
    readonly key: (item: Value) => Value;
    readonly reverse?: boolean;
    readonly machine: Machine;
  },
): List {
  const sign = reverse ? -1 : 1;
  return Array.from(items, (item) => ({ item, key: key(item) }))
    .sort((a, b) => {
      machine.spend(1);
      return sign * order(a.key, b.key, { machine });
    })
    .map(({ item }) => item);
}

function* unique(
  value: Value,
  { key, machine }: {
    readonly key: (item: Value) => Value;
    readonly machine: Machine;
  },
): Generator<Value> {
  const seen: Dict = new Map();
  for (const item of listOf(value, machine)) {
    const own = canonicalKey(seen, key(item), machine);
    if (seen.has(own)) continue;
    seen.set(own, true);
    yield item;
  }
}

function extreme(
  value: Value,
  { key, sign, machine }: {
    readonly key: (item: Value) => Value;
    readonly sign: number;
    readonly machine: Machine;
  },
): Value {
  const items = listOf(value, machine);
  const [first] = items;
  if (first === undefined) {
    return new Undefined(() => "No aggregated item, sequence was empty.");
  }
  let best = { item: first, key: key(first) };
  for (const item of items.slice(1)) {
    const own = key(item);
    if (sign * order(own, best.key, { machine }) > 0) best = { item, key: own };
  }
  return best.item;
}

function groups(
  items: List,
  { key, get, machine }: {
    readonly key: (item: Value) => Value;
    readonly get: (item: Value) => Value;
    readonly machine: Machine;
  },
): List {
  const all: List = [];
  let last: { key: Value; members: List } | undefined;
  for (const item of items) {
    const own = key(item);
    if (last === undefined || !equals(last.key, own, machine)) {
      last = { key: own, members: [] };
      const group = new GroupTuple();
      group.push(get(item), last.members);
      all.push(group);
    }
    last.members.push(item);
  }
  return all;
}

function* batches(
  value: Value,
  { size, fill, machine }: {
    readonly size: number;
    readonly fill: Value | undefined;
    readonly machine: Machine;
  },
): Generator<Value> {
  let batch: List = [];
  for (const item of listOf(value, machine)) {
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  yield fill == null ? batch : filled(batch, { size, fill, machine });
}

function filled(
  batch: List,
  { size, fill, machine }: {
    readonly size: number;
    readonly fill: Value;
    readonly machine: Machine;
  },
): List {
  const missing = Math.max(0, size - batch.length);
  machine.spend(missing);
  return [...batch, ...Array.from({ length: missing }, () => fill)];
}

function* slices(
  value: Value,
  { count, fill, machine }: {
    readonly count: number;
    readonly fill: Value | undefined;
    readonly machine: Machine;
  },
): Generator<Value> {
  const items = listOf(value, machine);
  if (count === 0) throw typeError("integer division or modulo by zero");
  const size = Math.floor(items.length / count);
  const longer = items.length % count;
  let from = 0;
  for (let i = 0; i < count; i++) {
    machine.spend(1);
    const to = from + size + (i < longer ? 1 : 0);
    const slice = items.slice(from, to);
    yield fill == null || i < longer ? slice : [...slice, fill];
    from = to;
  }
}
