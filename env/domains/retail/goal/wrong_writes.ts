/**
 * Generates wrong write calls for a retail task: gold writes with another order, item, variant, payment method, reason
 * or address, and additional writes to the user's other orders and profile.
 */

import { call } from "../../shared/call.ts";
import type { RetailTask } from "./request.ts";
import type { Database } from "../../../database.ts";
import type { WrongWrite } from "../../../domain.ts";
import {
  MISTAKES_PER_KIND,
  type ValueSource,
  wrongWritesFor,
} from "../../shared/goal/wrong_writes.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";

/** An address that belongs to no user. */
const ELSEWHERE = {
  address1: "1 nowhere street",
  address2: "",
  city: "nome",
  state: "ak",
  country: "usa",
  zip: "99762",
};

/** Returns wrong writes for a task. */
export function wrongWrites(
  task: RetailTask,
  database: Database,
): WrongWrite[] {
  return wrongWritesFor(task, {
    database,
    wrong: {
      mistakes,
      further: ({ userId }) =>
        call("modify_user_address", { user_id: userId, ...ELSEWHERE }),
      rows: { table: "orders", argument: "order_id" },
      untouched: (order_id) => [
        call("cancel_pending_order", { order_id, reason: "no longer needed" }),
        call("modify_pending_order_address", { order_id, ...ELSEWHERE }),
      ],
    },
  });
}

/** Returns variants of a call, each with one wrong argument. */
function mistakes(
  { name, arguments: args }: ToolAction,
  { database, user }: ValueSource,
): ToolAction[] {
  const swap = (key: string, values: readonly JsonValue[]) =>
    values.slice(0, MISTAKES_PER_KIND).map((value) => ({
      name,
      arguments: new Map(args).set(key, value),
    }));
  const all: ToolAction[] = [];
  if (!/^(cancel|return|exchange|modify)_/.test(name)) return all;
  const orderId = text(args, "order_id");
  if (args.has("reason")) all.push(...swap("reason", otherReasons(args)));
  if (args.has("address1")) {
    all.push(...swap("address1", [ELSEWHERE.address1]));
  }
  if (args.has("payment_method_id")) {
    const ids = rows(user, "payment_methods").map((one) => text(one, "id"));
    all.push(
      ...swap("payment_method_id", others(ids, args, "payment_method_id")),
    );
  }
  if (args.has("item_ids")) {
    const order = database.get("orders", orderId);
    all.push(...swap("item_ids", otherItems(args, order)));
    if (args.has("new_item_ids")) {
      all.push(
        ...swap("new_item_ids", otherVariants(args, { database, order })),
      );
    }
  } else if (args.has("order_id")) {
    all.push(
      ...swap("order_id", others(texts(user, "orders"), args, "order_id")),
    );
  }
  return all;
}

function otherReasons(args: JsonObject): string[] {
  return ["no longer needed", "ordered by mistake"].filter((reason) =>
    reason !== args.get("reason")
  );
}

function others(
  values: readonly string[],
  args: JsonObject,
  key: string,
): string[] {
  return values.filter((value) => value !== args.get(key));
}

/**
 * Returns up to two wrong variants of a call's list of items. In one variant, another item of the order replaces the
 * first item; in the other, the last item is missing.
 */
function otherItems(
  args: JsonObject,
  order: JsonObject | undefined,
): JsonValue[] {
  const ids = texts(args, "item_ids");
  const held = rows(order, "items").map((item) => text(item, "item_id"));
  const other = held.find((id) => !ids.includes(id));
  const lists = other === undefined ? [] : [[other, ...ids.slice(1)]];
  const fewer = ids.length > 1 && !args.has("new_item_ids")
    ? [ids.slice(0, -1)]
    : [];
  return [...lists, ...fewer];
}

function otherVariants(
  args: JsonObject,
  { database, order }: {
    database: Database;
    order: JsonObject | undefined;
  },
): JsonValue[] {
  const [id, ...rest] = texts(args, "new_item_ids");
  const [from] = texts(args, "item_ids");
  const item = rows(order, "items").find((one) =>
    text(one, "item_id") === from
  );
  const product = database.get("products", text(item, "product_id"));
  return [...row(product, "variants")?.keys() ?? []]
    .filter((other) => other !== id && other !== from)
    .map((other) => [other, ...rest]);
}
