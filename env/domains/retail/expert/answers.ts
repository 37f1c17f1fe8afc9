/** What the expert answers to questions in a user's own words: topics that it listens for, each with what it looks up. */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { call } from "../../shared/call.ts";
import { amount, row, rows, text, texts } from "../../shared/read_row.ts";
import { costExpression, deedsOn, refundExpression } from "./deeds.ts";

/** A question, lower case, and the desk that it is asked at. */
interface Asked {
  readonly words: string;
  readonly desk: Desk;
}

/** What is listened for, and how it is answered. */
interface Topic {
  readonly pattern: RegExp;
  answer(asked: Asked): Script<(string | undefined)[]>;
}

/** The answers to all topics of a question; none where it has none that the expert knows. */
export function* answersTo(
  question: string,
  desk: Desk,
): Script<string[]> {
  const words = question.toLowerCase();
  const answers: (string | undefined)[] = [];
  for (const { pattern, answer } of TOPICS) {
    if (pattern.test(words)) answers.push(...yield* answer({ words, desk }));
  }
  return [...new Set(answers.filter((one) => one !== undefined))];
}

const TOPICS: readonly Topic[] = [
  {
    pattern: /how many .*\b(option|variant|version|type|kind)s?\b/,
    *answer(asked) {
      return (yield* productsNamed(asked)).map((product) =>
        String(available(product).length)
      );
    },
  },
  {
    pattern: /\b(cheapest|most expensive) avail\w* |\bprice of the cheapest\b/,
    *answer(asked) {
      return (yield* productsNamed(asked)).flatMap((product) => {
        const [best] = byPrice(available(product), asked.words);
        return best === undefined
          ? []
          : [shown(best.get("price")), options(best)];
      });
    },
  },
  {
    pattern: /\ball (the )?options and their prices?\b/,
    *answer({ desk }) {
      const products = deedsOn(desk).flatMap(({ items }) => items)
        .map((item) => desk.row("product_id", text(item, "product_id")));
      return products.flatMap((product) =>
        available(product).map((one) =>
          `${options(one)} for ${shown(one.get("price"))}`
        )
      );
    },
  },
  {
    pattern: /\b(cheapest|most expensive) item\b/,
    *answer(asked) {
      return (yield* ordersMeant(asked)).flatMap((order) => {
        const [best] = byPrice(rows(order, "items"), asked.words);
        return [text(best, "name"), shown(best?.get("price"))];
      });
    },
  },
  {
    pattern: /\btrack/,
    *answer(asked) {
      return (yield* ordersMeant(asked)).flatMap((order) =>
        rows(order, "fulfillments").flatMap((one) => texts(one, "tracking_id"))
      );
    },
  },
  {
    pattern:
      /\b(how much|amount|total|price of)\b.*\b(back|refund)|\brefund\b.*\b(amount|total)\b/,
    *answer({ desk }) {
      return [yield* worth(refundExpression(deedsOn(desk)), desk)];
    },
  },
  {
    pattern: /\bremaining items\b/,
    *answer({ desk }) {
      const deed = deedsOn(desk).at(-1);
      const order = desk.row("order_id", deed?.orderId ?? "");
      const paid = shown(rows(order, "payment_history")[0]?.get("amount"));
      const spent = deed?.terms.map((one) => `- ${one.amount}`).join(" ");
      return [yield* worth(`${paid} ${spent}`, desk)];
    },
  },
  {
    pattern: /\b(need|have) to pay\b|\bprice difference\b/,
    *answer({ desk }) {
      const swaps = deedsOn(desk).filter(({ variants }) => variants.length > 0);
      const answers: (string | undefined)[] = [];
      for (const one of swaps) {
        answers.push(yield* worth(costExpression([one]), desk));
      }
      const all = answers.map((one) => one ?? "0").join(" + ");
      return swaps.length > 1 ? [...answers, yield* worth(all, desk)] : answers;
    },
  },
  {
    pattern: /\bprice\b.*\b(same|lower)\b/,
    *answer({ desk }) {
      return deedsOn(desk).flatMap(({ variants }) => variants)
        .map((one) => shown(one.get("price")));
    },
  },
  {
    pattern: /\bbalance\b/,
    *answer({ desk }) {
      yield* desk.call(call("get_user_details", { user_id: desk.userId }));
      return rows(desk.user, "payment_methods").filter((one) =>
        text(one, "source") === "gift_card"
      ).map((one) => shown(one.get("balance")));
    },
  },
  {
    pattern:
      /\bpaid for (the|my) order\b|\btotal price of (the|my) (new )?order\b/,
    *answer(asked) {
      const answers: string[] = [];
      for (const order of yield* ordersMeant(asked)) {
        const [paid, ...later] = rows(order, "payment_history");
        const terms = later.map((one) =>
          `${text(one, "transaction_type") === "refund" ? "-" : "+"} ${
            shown(one.get("amount"))
          }`
        );
        answers.push(
          yield* worth(
            [shown(paid?.get("amount")), ...terms].join(" "),
            asked.desk,
          ),
        );
      }
      return answers;
    },
  },
  {
    pattern: /\bprices? (of|for) (a|an|the|my)\b(?! (cheapest|refund|order))/,
    *answer(asked) {
      const prices = (yield* itemsNamed(asked)).map((item) =>
        shown(item.get("price"))
      );
      return prices.length === 0
        ? []
        : [yield* worth(prices.join(" + "), asked.desk)];
    },
  },
  {
    pattern: /\b(storage|battery life|material|colou?r|size)s?\b/,
    *answer(asked) {
      return (yield* itemsNamed(asked)).flatMap((item) =>
        [...row(item, "options") ?? []].filter(([option]) =>
          asked.words.includes(option)
        ).map(([, value]) => String(value))
      );
    },
  },
  {
    pattern: /\baddress\b.*\b(sent|shipped)\b/,
    *answer(asked) {
      return (yield* ordersMeant(asked)).map((order) =>
        [...row(order, "address")?.values() ?? []].map(String)
          .filter((part) => part !== "").join(", ")
      );
    },
  },
  {
    pattern: /\b(visa|mastercard|amex)\b/,
    *answer(asked) {
      yield* readUser(asked.desk);
      return (yield* ordersMeant(asked)).map((order) => {
        const paid = rows(order, "payment_history")[0];
        const methods = row(asked.desk.user, "payment_methods");
        return text(row(methods, text(paid, "payment_method_id")), "brand");
      });
    },
  },
];

/** A sum by the calculator; a single amount as it is. */
function* worth(expression: string, desk: Desk): Script<string> {
  if (!/[+-]/.test(expression)) return expression;
  const result = yield* desk.call(call("calculate", { expression }));
  return result.replace(/^-/, "");
}

function* readUser(desk: Desk): Script {
  if (desk.user !== undefined) return;
  yield* desk.call(call("get_user_details", { user_id: desk.userId }));
}

/** All orders of the user, read. */
function* ownOrders(desk: Desk): Script<JsonObject[]> {
  yield* readUser(desk);
  const orders: JsonObject[] = [];
  for (const order_id of texts(desk.user, "orders")) {
    if (desk.row("order_id", order_id) === undefined) {
      yield* desk.call(call("get_order_details", { order_id }));
    }
    orders.push(desk.row("order_id", order_id) ?? new Map());
  }
  return orders;
}

/**
 * The orders that a question is about: those whose id, status or item it names, else those that something was done
 * about, else the last one.
 */
function* ordersMeant({ words, desk }: Asked): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  const acted = new Set(deedsOn(desk).map(({ orderId }) => orderId));
  const ways: ((order: JsonObject) => boolean)[] = [
    (order) => words.includes(text(order, "order_id").toLowerCase()),
    (order) => words.includes(text(order, "status")),
    (order) => rows(order, "items").some((item) => isNamed(item, words)),
    (order) => acted.has(text(order, "order_id")),
  ];
  const found = ways.map((way) => orders.filter(way))
    .find((some) => some.length > 0);
  return found ?? orders.slice(-1);
}

/** The items of the user's orders that a question names. */
function* itemsNamed({ words, desk }: Asked): Script<JsonObject[]> {
  const orders = yield* ownOrders(desk);
  return orders.flatMap((order) => rows(order, "items"))
    .filter((item) => isNamed(item, words));
}

/** The products of the store that a question names, read. */
function* productsNamed({ words, desk }: Asked): Script<JsonObject[]> {
  yield* desk.call(call("list_all_product_types", {}));
  const products: JsonObject[] = [];
  for (const [name, id] of desk.calls.at(-1)?.row ?? []) {
    if (!isNamed(new Map([["name", name]]), words)) continue;
    yield* desk.call(call("get_product_details", { product_id: id }));
    products.push(desk.row("product_id", String(id)) ?? new Map());
  }
  return products;
}

/** Whether words have the name of an item in them, whatever stands between its letters: `tshirts` for `T-Shirt`. */
function isNamed(item: JsonObject, words: string): boolean {
  const letters = (one: string) => one.toLowerCase().replaceAll(/[^a-z]/g, "");
  return letters(words).includes(letters(text(item, "name")));
}

function available(product: JsonObject | undefined): JsonObject[] {
  return rows(product, "variants").filter((one) =>
    one.get("available") === true
  );
}

/** The best one first: the cheapest, or the most expensive where words ask for that. */
function byPrice(items: readonly JsonObject[], words: string): JsonObject[] {
  const sign = words.includes("most expensive") ? -1 : 1;
  return items.toSorted((a, b) =>
    sign * (amount(a, "price") - amount(b, "price"))
  );
}

function options(item: JsonObject): string {
  return [...row(item, "options")?.values() ?? []].join(", ");
}

/** A value as the tools show it. */
function shown(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : printPythonJson(value);
}
