/** Draws replacements for items, and phrases them for instructions. */

import type { RetailRequest } from "../goal/request.ts";
import type { Item, Order, Variant } from "./store.ts";
import { type Draw, isDistinguishable, itemWords } from "./wish.ts";

/** An item and its replacement. */
export interface Change {
  readonly from: Item;
  readonly to: Variant;
  /** The change as an instruction phrases it: `the desk lamp to a black one`. */
  readonly clause: string;
  /**
   * The description of the replacement, such as `cheapest, black`. Omitted if the replacement is described by its
   * options.
   */
  readonly choice?: string;
}

/**
 * Draws one or two items of an order, with a replacement for each of them, or returns `undefined` if no items with
 * replacements can be drawn.
 */
export function drawChanges(
  draw: Draw,
  order: Order,
  preposition: "for" | "to",
): Change[] | undefined {
  const { rng } = draw;
  const items = rng.shuffle(order.items)
    .filter((item) => isDistinguishable(item, order))
    .slice(0, rng.next() < 0.7 ? 1 : 2);
  const changes = items.map((from) =>
    drawChange(draw, { from, order, preposition })
  ).filter((change) => change !== undefined);
  return changes.length === 0 ? undefined : changes;
}

/** Returns the total price difference of the changes, in cents. */
export function differenceOf(changes: readonly Change[]): number {
  return changes.reduce((sum, { from, to }) => sum + to.cents - from.cents, 0);
}

/**
 * Returns descriptions of all replacements if the instruction describes at least one of them as, for example, the
 * `cheapest` variant. If the instruction describes all of them by their options, returns `undefined`.
 */
export function changeWords(
  changes: readonly Change[],
): Partial<RetailRequest> | undefined {
  return changes.some(({ choice }) => choice !== undefined)
    ? {
      newItems: changes.map(({ to, choice }) => choice ?? valuesOf(to)),
    }
    : undefined;
}

/** Returns all option values of a variant: `black, 2 liters`. */
export function valuesOf({ options }: Item): string {
  return [...options.values()].join(", ");
}

/**
 * Describes an item as scripted users of benchmark tasks do: by its name and, if the order contains several items with
 * that name, by its options.
 */
export function namedItem(item: Item, { items }: Order): string {
  return items.filter(({ name }) => name === item.name).length > 1
    ? `${item.name} (${valuesOf(item)})`
    : item.name;
}

/** Returns the other variants of an item's product, including those that are out of stock. */
export function othersOf({ store }: Draw, item: Item): Variant[] {
  return store.variantsOf(item).filter(({ itemId }) => itemId !== item.itemId);
}

interface Wanted {
  readonly from: Item;
  readonly order: Order;
  readonly preposition: "for" | "to";
}

function drawChange(draw: Draw, wanted: Wanted): Change | undefined {
  const { rng } = draw;
  return (rng.next() < 0.3 ? drawExtreme(draw, wanted) : undefined) ??
    drawOther(draw, wanted);
}

function drawOther(draw: Draw, wanted: Wanted): Change | undefined {
  const others = othersOf(draw, wanted.from).filter(({ available }) =>
    available
  );
  if (others.length === 0) return undefined;
  const to = draw.rng.pick(others);
  const { from, order, preposition } = wanted;
  const words = newWords(draw, from, to);
  return {
    from,
    to,
    clause: `${itemWords(from, order)} ${preposition} ${words}`,
  };
}

/**
 * Draws a change to the cheapest or the most expensive available variant, either among all variants or among the
 * variants that share one option value with the item. Returns `undefined` if the cheapest variant is not cheaper than
 * the item, if the most expensive variant is not more expensive, or if several variants tie.
 */
function drawExtreme(
  draw: Draw,
  { from, order, preposition }: Wanted,
): Change | undefined {
  const { rng } = draw;
  const isCheap = rng.next() < 0.6;
  const [key, value] = rng.pick([...from.options]);
  const isBound = rng.int(2) === 0;
  const fitting = othersOf(draw, from).filter(({ available, options }) =>
    available && (!isBound || options.get(key) === value)
  ).sort((a, b) => isCheap ? a.cents - b.cents : b.cents - a.cents);
  const [to, next] = fitting;
  const isBetter = to !== undefined &&
    (isCheap ? to.cents < from.cents : to.cents > from.cents);
  if (!isBetter || next?.cents === to.cents) return undefined;
  const most = isCheap ? "cheapest" : "most expensive";
  const bound = isBound ? ` with the same ${key}` : "";
  return {
    from,
    to,
    choice: isBound ? `${most}, ${value}` : most,
    clause: `${itemWords(from, order)} ${preposition} ${
      rng.pick([
        `the ${most} one${bound}`,
        `the ${most} version${bound} that is available`,
        `whatever is ${most}${bound}`,
      ])
    }`,
  };
}

/** Describes a new variant by the options that change, or by all of its options. */
export function newWords({ rng }: Draw, from: Item, to: Item): string {
  const changed = [...to.options].filter(([key, value]) =>
    from.options.get(key) !== value
  );
  const values = changed.map(([, value]) => value).join(", ");
  const pairs = changed.map(([key, value]) => `${key} ${value}`).join(" and ");
  if (changed.length > 2 || rng.int(5) === 0) {
    return rng.pick([
      `the ${valuesOf(to)} one`,
      `one that is ${valuesOf(to)}`,
      `the variant ${pairsOf(to)}`,
    ]);
  }
  return rng.pick([
    `the ${values} one and keep everything else the same`,
    `one with ${pairs}, otherwise the same`,
    `one with ${pairs} and no other difference`,
    `a ${values} one but without changing the other options`,
    `${values} with all else as it is`,
    `one with ${pairs} and the same otherwise, since you prefer that`,
  ]);
}

/** Formats a variant's options as a Python dict: `{'color': 'red'}`. */
function pairsOf({ options }: Item): string {
  return `{${
    [...options].map(([key, value]) => `'${key}': '${value}'`).join(", ")
  }}`;
}
