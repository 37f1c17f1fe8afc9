/** Implements filters such as `map` and `select`, which apply other filters or tests to each item of a sequence. */

import { JinjaError, typeError } from "../template_error.ts";
import type { Machine } from "../machine.ts";
import {
  isTrue,
  iterate,
  Iteration,
  type Keywords,
  type List,
  type Value,
} from "../values.ts";
import { attributeGetter, type Filter } from "./filter.ts";

/** A registry that finds filters and tests by name at run time. */
export interface Registry {
  filter(name: string): Filter | undefined;
  test(name: string): Filter | undefined;
}

/** Creates the selection filters. They look up other filters and tests in `registry`. */
export function selectionFilters(registry: Registry): readonly Filter[] {
  return [
    {
      name: "map",
      call: (value, args, keywords, machine) =>
        new Iteration(
          mapped(value, () => mapper(registry, { args, keywords, machine })),
        ),
    },
    chooser("select", { registry, keep: true, byAttribute: false }),
    chooser("reject", { registry, keep: false, byAttribute: false }),
    chooser("selectattr", { registry, keep: true, byAttribute: true }),
    chooser("rejectattr", { registry, keep: false, byAttribute: true }),
  ];
}

interface Call {
  readonly args: List;
  readonly keywords: Keywords;
  readonly machine: Machine;
}

/**
 * Applies a function to items lazily. As in Jinja, errors in the arguments are reported only when the first item is
 * requested.
 */
function* mapped(
  value: Value,
  prepare: () => (item: Value) => Value,
): Generator<Value> {
  if (!isTrue(value)) return;
  const apply = prepare();
  for (const item of values(value)) yield apply(item);
}

function* chosen(
  value: Value,
  prepare: () => (item: Value) => boolean,
): Generator<Value> {
  if (!isTrue(value)) return;
  const keeps = prepare();
  for (const item of values(value)) if (keeps(item)) yield item;
}

function values(value: Value): Iterable<Value> {
  return { [Symbol.iterator]: () => iterate(value) };
}

function mapper(
  registry: Registry,
  { args, keywords, machine }: Call,
): (item: Value) => Value {
  const path = keywords.get("attribute");
  if (args.length === 0 && path !== undefined) {
    for (const name of keywords.keys()) {
      if (name === "attribute" || name === "default") continue;
      throw typeError(`Unexpected keyword argument '${name}'`);
    }
    const otherwise = keywords.get("default");
    const get = attributeGetter(path, { machine, otherwise });
    return (item) => {
      machine.spend(1);
      return get(item);
    };
  }
  const [name, ...rest] = args;
  if (name === undefined) throw typeError("map requires a filter argument");
  const filter = named(name, "filter", (name) => registry.filter(name));
  return (item) => {
    machine.spend(1);
    return filter.call(item, rest, keywords, machine);
  };
}

function chooser(
  name: string,
  { registry, keep, byAttribute }: {
    readonly registry: Registry;
    readonly keep: boolean;
    readonly byAttribute: boolean;
  },
): Filter {
  const prepare = ({ args, keywords, machine }: Call) => {
    const [path] = args;
    if (byAttribute && path === undefined) {
      throw typeError("Missing parameter for attribute name");
    }
    const get = byAttribute
      ? attributeGetter(path!, { machine })
      : (item: Value) => item;
    const [test, ...rest] = byAttribute ? args.slice(1) : args;
    const found = test === undefined
      ? undefined
      : named(test, "test", (name) => registry.test(name));
    return (item: Value) => {
      machine.spend(1);
      const own = get(item);
      const holds = found === undefined
        ? own
        : found.call(own, rest, keywords, machine);
      return isTrue(holds) === keep;
    };
  };
  return {
    name,
    call: (value, args, keywords, machine) =>
      new Iteration(
        chosen(value, () => prepare({ args, keywords, machine })),
      ),
  };
}

function named(
  name: Value,
  kind: string,
  find: (name: string) => Filter | undefined,
): Filter {
  const found = typeof name === "string" ? find(name) : undefined;
  if (found !== undefined) return found;
  throw new JinjaError("type", `No ${kind} named '${String(name)}'.`);
}
