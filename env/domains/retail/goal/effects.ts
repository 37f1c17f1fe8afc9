/** Checks how write calls of the retail domain change the database. The checks are independent of the tools' code. */

import { toPlain } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import {
  otherChange,
  readRow,
  type Row,
  same,
  type States,
  unless,
} from "../../shared/goal/effects.ts";

/**
 * The arguments of a write call, and the state of the affected order or profile before (`was`) and after (`is`) the
 * call.
 */
interface Written {
  readonly args: Row;
  readonly was: Row;
  readonly is: Row;
  /** Returns a row as it was before the call. */
  old(table: string, id: string): Row;
}

/** The expected effect of a write call. */
interface Effect {
  /** The fields of the order or profile that the call may change. */
  readonly fields: readonly string[];
  /** Returns a description of what is wrong with the new values, or `null` if they are correct. */
  breaks(written: Written): string | null;
  /**
   * Returns the amounts that the user's payment methods gain, in dollars, keyed by payment method id. A loss is
   * negative. Omitted if the call must not change any balance.
   */
  credits?(written: Written): ReadonlyMap<string, number>;
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  cancel_pending_order: {
    fields: ["status", "cancel_reason", "payment_history"],
    breaks: ({ args, was, is }) =>
      unless(is.status === "cancelled", `the status is ${is.status}`) ??
        unless(
          is.cancel_reason === args.reason,
          "the reason differs from the reason in the call",
        ) ??
        unless(
          is.payment_history.length === 2 * was.payment_history.length,
          "not every payment is refunded",
        ),
    credits: ({ was }) =>
      new Map(
        was.payment_history.map((
          { payment_method_id, amount }: Row,
        ) => [payment_method_id, amount]),
      ),
  },
  return_delivered_order_items: {
    fields: ["status", "return_items", "return_payment_method_id"],
    breaks: ({ args, is }) =>
      unless(is.status === "return requested", `the status is ${is.status}`) ??
        unless(
          same(is.return_items, args.item_ids.toSorted()),
          "the returned items differ from those in the call",
        ) ??
        unless(
          is.return_payment_method_id === args.payment_method_id,
          "the refund goes to another payment method",
        ),
  },
  exchange_delivered_order_items: {
    fields: [
      "status",
      "exchange_items",
      "exchange_new_items",
      "exchange_payment_method_id",
      "exchange_price_difference",
    ],
    breaks: (written) => {
      const { args, is } = written;
      return unless(
        is.status === "exchange requested",
        `the status is ${is.status}`,
      ) ??
        unless(
          same(is.exchange_items, args.item_ids.toSorted()) &&
            same(is.exchange_new_items, args.new_item_ids.toSorted()),
          "the exchanged items differ from those in the call",
        ) ??
        unless(
          near(is.exchange_price_difference, difference(written)),
          `the price difference is ${is.exchange_price_difference} instead of ${
            difference(written)
          }`,
        );
    },
  },
  modify_pending_order_items: {
    fields: ["status", "items", "payment_history"],
    breaks: (written) => {
      const { args, was, is } = written;
      const kept = ids(was).filter((id) => !args.item_ids.includes(id));
      const entry = is.payment_history.at(-1);
      return unless(
        is.status === "pending (item modified)",
        `the status is ${is.status}`,
      ) ??
        unless(
          same(ids(is).toSorted(), [...kept, ...args.new_item_ids].toSorted()),
          "the order contains the wrong items",
        ) ??
        unless(
          near(entry.amount, Math.abs(difference(written))) &&
            entry.payment_method_id === args.payment_method_id,
          "the payment history does not record the price difference",
        );
    },
    credits: (written) =>
      new Map([[written.args.payment_method_id, -difference(written)]]),
  },
  modify_pending_order_address: {
    fields: ["address"],
    breaks: addressBreaks,
  },
  modify_pending_order_payment: {
    fields: ["payment_history"],
    breaks: ({ args, was, is }) =>
      unless(
        same(
          is.payment_history.slice(was.payment_history.length).map(entryOf),
          [
            ["payment", was.payment_history[0].amount, args.payment_method_id],
            [
              "refund",
              was.payment_history[0].amount,
              was.payment_history[0].payment_method_id,
            ],
          ],
        ),
        "the payment was not moved to the new method",
      ),
    credits: ({ args, was }) => {
      const { amount, payment_method_id } = was.payment_history[0];
      return new Map([
        [payment_method_id, amount],
        [args.payment_method_id, -amount],
      ]);
    },
  },
  modify_user_address: { fields: ["address"], breaks: addressBreaks },
};

/**
 * Returns a description of what is wrong with the effect of a write call, or `null` if the effect is correct. The
 * effect includes the changes to the order or profile, to gift cards, and to any other rows.
 */
export function effectError(
  { name, arguments: given }: ToolAction,
  { before, after }: States,
): string | null {
  const effect = EFFECTS[name];
  if (effect === undefined) return `${name} is not a write`;
  const args: Row = toPlain(given);
  const [table, id] = args.order_id === undefined
    ? ["users", args.user_id]
    : ["orders", args.order_id];
  const was = readRow(before, table, id);
  const is = readRow(after, table, id);
  const old = (table: string, id: string) => readRow(before, table, id);
  const written = { args, was, is, old };
  const owner = table === "users" ? id : was?.user_id;
  for (const row of before.diff(after)) {
    const isCard = row.table === "users" && row.id === owner &&
      effect.credits !== undefined;
    if (isCard || row.table === table && row.id === id) continue;
    return `the write also changes ${row.table}/${row.id}`;
  }
  return unless(!same(was, is), "the write changes nothing") ??
    otherChange(written, effect.fields) ?? effect.breaks(written) ??
    cardsBreak(effect.credits?.(written) ?? new Map(), {
      was: readRow(before, "users", owner),
      is: readRow(after, "users", owner),
    });
}

/** Returns a description of the first gift card with an unexpected balance, or `null` if there is none. */
function cardsBreak(
  credits: ReadonlyMap<string, number>,
  { was, is }: { was: Row; is: Row },
): string | null {
  for (const [id, method] of Object.entries<Row>(was.payment_methods)) {
    if (method.source !== "gift_card") continue;
    const wanted = method.balance + (credits.get(id) ?? 0);
    const { balance } = is.payment_methods[id];
    if (!near(balance, wanted)) {
      return `the balance of ${id} is ${balance} instead of ${
        wanted.toFixed(2)
      }`;
    }
  }
  return null;
}

function addressBreaks({ args, is }: Written): string | null {
  const wrong = Object.entries(is.address).find(([key, value]) =>
    args[key] !== value
  );
  return unless(wrong === undefined, `${wrong?.[0]} is ${wrong?.[1]}`);
}

function difference({ args, was, old }: Written): number {
  return args.item_ids.reduce((sum: number, id: string, i: number) => {
    const item = was.items.find((one: Row) => one.item_id === id);
    const { variants } = old("products", item.product_id);
    return sum + variants[args.new_item_ids[i]].price - item.price;
  }, 0);
}

function ids(order: Row): string[] {
  return order.items.map(({ item_id }: Row) => item_id);
}

function entryOf(entry: Row) {
  return [entry.transaction_type, entry.amount, entry.payment_method_id];
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) < 0.0051;
}
