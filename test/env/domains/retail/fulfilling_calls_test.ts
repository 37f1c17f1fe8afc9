import assert from "node:assert/strict";
import { row, rows, text } from "../../../../env/domains/shared/read_row.ts";
import { fulfillingCalls } from "../../../../env/domains/retail/goal/fulfilling_calls.ts";
import type { RetailRequest } from "../../../../env/domains/retail/goal/request.ts";
import { generated } from "../../../../env/generated/generated.ts";
import {
  type JsonObject,
  toPlain,
} from "../../../../env/python/python_value.ts";

const dataset = await generated(3, {
  trainTasks: 60,
  variantsMin: 5,
  variantsMax: 6,
  optionsPerProduct: 2,
  unavailableShare: 0.4,
});
const { database } = dataset;

/**
 * Requests, all allowed by the policy, to exchange one item for a new one. Each has the old item and all variants of
 * its product.
 */
const exchanges = dataset.tasks("train").flatMap(({ userId, goal }) =>
  (goal?.requests ?? []).filter(({ intent, refused, newItems }) =>
    intent === "exchange" && !refused && newItems?.length === 1
  ).map((request) => {
    const order = database.get("orders", request.orderId ?? "");
    const item = rows(order, "items").find((one) =>
      text(one, "name") === request.items?.[0]
    )!;
    const product = database.get("products", text(item, "product_id"));
    return { request, userId, item, variants: rows(product, "variants") };
  })
);

function matchingNewItems(request: RetailRequest, userId: string): string[] {
  const calls = fulfillingCalls({ request, database, userId });
  return calls.flatMap(({ arguments: args }) =>
    toPlain(args.get("new_item_ids") ?? []) as string[]
  );
}

function priceOf(variant: JsonObject): number {
  return Number(toPlain(variant.get("price") ?? 0));
}

Deno.test("fulfillingCalls() finds the cheapest and the most expensive variant in stock with the given options", () => {
  assert.ok(exchanges.length > 3);
  for (const { request, userId, item, variants } of exchanges) {
    const color = String(row(variants[0], "options")?.get("color"));
    for (const bound of [undefined, color]) {
      const open = variants.filter((one) =>
        one.get("available") === true &&
        (bound === undefined || row(one, "options")?.get("color") === bound)
      ).sort((a, b) => priceOf(a) - priceOf(b));
      for (const most of ["cheapest", "most expensive"]) {
        const best = most === "cheapest" ? open[0] : open.at(-1);
        const words = bound === undefined ? most : `${most}, ${bound}`;
        const meant = matchingNewItems(
          { ...request, newItems: [words] },
          userId,
        );
        const same = open.filter((one) => priceOf(one) === priceOf(best!))
          .map((one) => text(one, "item_id"))
          .filter((id) => id !== text(item, "item_id"));
        assert.deepEqual(new Set(meant), new Set(best && same), words);
      }
    }
  }
});

Deno.test("fulfillingCalls() understands items with options, and variants as a list of values", () => {
  for (const { request, userId, item, variants } of exchanges) {
    const listed = (one: JsonObject) =>
      [...row(one, "options")?.values() ?? []].join(", ");
    for (const variant of variants) {
      const id = text(variant, "item_id");
      if (id === text(item, "item_id")) continue;
      const meant = matchingNewItems({
        ...request,
        items: [`${text(item, "name")} (${listed(item)})`],
        newItems: [listed(variant)],
      }, userId);
      assert.deepEqual(new Set(meant), new Set([id]));
    }
  }
});

Deno.test("fulfillingCalls() understands a payment method by id, or by kind and last digits", () => {
  for (const { userId, request: { orderId = "" } } of exchanges) {
    const user = database.get("users", userId);
    for (const method of rows(user, "payment_methods")) {
      const id = text(method, "id");
      const lastFour = text(method, "last_four");
      const words = lastFour === ""
        ? [id]
        : [id, `credit card ending in ${lastFour}`];
      for (const payment of words) {
        const request = { intent: "modify_payment", orderId, payment } as const;
        const calls = fulfillingCalls({ request, database, userId });
        assert.deepEqual(
          calls.map(({ arguments: args }) => args.get("payment_method_id")),
          [id],
        );
      }
    }
  }
});
