/**
 * Finds the expert's answers to a user's free-form question. Each known topic has a pattern that recognizes it and a
 * lookup that finds the answer.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { numberIn, row, rows, text, texts } from "../../shared/read_row.ts";
import {
  itemsBought,
  itemsNamed,
  ordersAskedAbout,
  productsNamed,
  type Question,
  readUser,
} from "./asked_rows.ts";
import {
  changesMadeBy,
  costExpression,
  refundExpression,
} from "./made_changes.ts";
import { shown } from "./row_answer.ts";

/** A topic that the expert recognizes in a question. */
interface Topic {
  readonly pattern: RegExp;
  /**
   * Matches the user's words for the topic, which the expert repeats before the answer. Omitted if the answer is clear
   * without these words.
   */
  readonly name?: RegExp;
  answer(question: Question): Script<Answers> | Answers;
}

/** The answers about one topic; an element is `undefined` if its value was not found. */
type Answers = readonly (string | undefined)[];

/**
 * Returns the answers for all topics that the expert recognizes in a question, or an empty list if it recognizes none.
 */
export function* answersTo(
  question: string,
  desk: Desk,
): Script<string[]> {
  const words = question.toLowerCase();
  const answers: (string | undefined)[] = [];
  for (const { pattern, name, answer } of TOPICS) {
    if (!pattern.test(words)) continue;
    const result = answer({ words, desk });
    const [first, ...others] = Array.isArray(result)
      ? result
      : yield* result as Script<Answers>;
    const about = name?.exec(words)?.[0];
    const isNamed = about !== undefined && first !== undefined;
    answers.push(isNamed ? `${about}: ${first}` : first, ...others);
  }
  return [...new Set(answers.filter((one) => one !== undefined))];
}

const TOPICS: readonly Topic[] = [
  {
    pattern: /how many .{0,200}\b(option|variant|version|type|kind)s?\b/,
    name: /\b(option|variant|version|type|kind)s?\b/,
    *answer(question) {
      return (yield* productsNamed(question)).map((product) =>
        String(available(product).length)
      );
    },
  },
  {
    pattern: /\b(cheapest|most expensive) avail\w* |\bprice of the cheapest\b/,
    name: /\bcheapest|most expensive\b/,
    *answer(question) {
      return (yield* productsNamed(question)).flatMap((product) => {
        const [best] = byPrice(available(product), question.words);
        return best === undefined ? [] : [priceOf(best), options(best)];
      });
    },
  },
  {
    pattern: /\ball (the )?options and their prices?\b/,
    answer({ desk }) {
      const products = changesMadeBy(desk).flatMap(({ items }) => items)
        .map((item) => desk.row("product_id", text(item, "product_id")));
      return products.flatMap((product) =>
        available(product).map((one) => `${options(one)} for ${priceOf(one)}`)
      );
    },
  },
  {
    pattern: /\b(cheapest|most expensive) item\b/,
    name: /\bcheapest|most expensive\b/,
    *answer(question) {
      return (yield* ordersAskedAbout(question)).flatMap((order) => {
        const [best] = byPrice(
          itemsBought(order, question.desk),
          question.words,
        );
        return [text(best, "name"), priceOf(best)];
      });
    },
  },
  {
    pattern: /\btrack/,
    *answer(question) {
      return (yield* ordersAskedAbout(question)).flatMap((order) =>
        rows(order, "fulfillments").flatMap((one) => texts(one, "tracking_id"))
      );
    },
  },
  {
    pattern:
      /\b(how much|amount|total|price of)\b.{0,200}\b(back|refund)|\brefund\b.{0,200}\b(amount|total)\b/,
    *answer({ desk }) {
      return [yield* worth(refundExpression(changesMadeBy(desk)), desk)];
    },
  },
  {
    pattern: /\bmoney i can save\b/,
    *answer({ desk }) {
      const returned = yield* worth(
        refundExpression(changesMadeBy(desk)),
        desk,
      );
      return [returned, yield* worth(yield* savedByCheapest(desk), desk)];
    },
  },
  {
    pattern: /\bremaining items\b/,
    *answer({ desk }) {
      const change = changesMadeBy(desk).at(-1);
      if (change === undefined) return [];
      const order = desk.row("order_id", change.orderId);
      const paid = shown(rows(order, "payment_history")[0]?.get("amount"));
      const spent = change.terms.map((one) => `- ${one.amount}`).join(" ");
      return [yield* worth(`${paid} ${spent}`, desk)];
    },
  },
  {
    pattern: /\b(need|have) to pay\b|\bprice difference\b/,
    *answer({ desk }) {
      const swaps = changesMadeBy(desk).filter(({ variants }) =>
        variants.length > 0
      );
      const sums = swaps.length > 1
        ? [...swaps.map((one) => [one]), swaps]
        : [swaps];
      const answers: (string | undefined)[] = [];
      for (const changes of sums) {
        answers.push(yield* worth(costExpression(changes), desk));
      }
      return answers;
    },
  },
  {
    pattern: /\bprice\b.{0,200}\b(same|lower)\b/,
    answer({ desk }) {
      return changesMadeBy(desk).flatMap(({ variants }) => variants)
        .map((one) => priceOf(one));
    },
  },
  {
    pattern: /\bbalance\b/,
    name: /\bbalance\b/,
    *answer({ desk }) {
      yield* desk.call(call("get_user_details", { user_id: desk.userId }));
      return rows(desk.user, "payment_methods").filter((one) =>
        text(one, "source") === "gift_card"
      ).map((one) => dollars(shown(one.get("balance"))));
    },
  },
  {
    pattern:
      /\bpaid for (the|my) order\b|\btotal price of (the|my) (new )?order\b/,
    *answer(question) {
      const answers: (string | undefined)[] = [];
      for (const order of yield* ordersAskedAbout(question)) {
        const [paid, ...later] = rows(order, "payment_history");
        const terms = later.map((one) =>
          `${text(one, "transaction_type") === "refund" ? "-" : "+"} ${
            shown(one.get("amount"))
          }`
        );
        answers.push(
          yield* worth(
            [shown(paid?.get("amount")), ...terms].join(" "),
            question.desk,
          ),
        );
      }
      return answers;
    },
  },
  {
    pattern:
      /\bprices? (of|for) (all )?(a|an|the|my)\b(?! (cheapest|refund|order))/,
    *answer(question) {
      const items = yield* itemsNamed(question);
      const prices = items.map((item) => shown(item.get("price")));
      const sum = yield* worth(prices.join(" + "), question.desk);
      const names = new Set(items.map((item) => text(item, "name")));
      return [sum && `${[...names].join(" and ")}: ${sum}`];
    },
  },
  {
    pattern: /\b(storage|battery life|material|colou?r|size)s?\b/,
    *answer(question) {
      return (yield* itemsNamed(question)).flatMap((item) =>
        [...row(item, "options") ?? []].filter(([option]) =>
          question.words.includes(option)
        ).map(([, value]) => String(value))
      );
    },
  },
  {
    pattern: /\baddress\b.{0,200}\b(sent|shipped)\b/,
    *answer(question) {
      return (yield* ordersAskedAbout(question)).map((order) => {
        const { zip, country: _, ...place } = Object.fromEntries(
          row(order, "address") ?? [],
        );
        const parts = Object.values(place).filter((part) => part !== "");
        return `${parts.join(", ")} ${zip}`;
      });
    },
  },
  {
    pattern: /\b(visa|mastercard|amex)\b/,
    *answer(question) {
      yield* readUser(question.desk);
      return (yield* ordersAskedAbout(question)).map((order) => {
        const paid = rows(order, "payment_history")[0];
        const methods = row(question.desk.user, "payment_methods");
        return text(row(methods, text(paid, "payment_method_id")), "brand");
      });
    },
  },
];

/**
 * Returns an arithmetic expression for the amount that the user would save if further items were exchanged for their
 * cheapest variants. Considers the items that the user has mentioned, in the orders that the expert has changed, except
 * items that the expert has already exchanged or returned. Reads the products of these items first.
 */
function* savedByCheapest(desk: Desk): Script<string> {
  const changes = changesMadeBy(desk);
  const done = changes.flatMap(({ items }) => items);
  const others = changes.flatMap(({ orderId }) =>
    rows(desk.row("order_id", orderId), "items")
  ).filter((item) =>
    desk.everHeard(text(item, "name")) &&
    !done.some((one) => text(one, "item_id") === text(item, "item_id"))
  );
  const terms: string[] = [];
  for (const item of others) {
    const product_id = text(item, "product_id");
    yield* desk.call(call("get_product_details", { product_id }));
    const all = available(desk.row("product_id", product_id));
    const [best = item] = byPrice(all, "cheapest");
    terms.push(`${shown(item.get("price"))} - ${shown(best.get("price"))}`);
  }
  return terms.join(" + ");
}

/**
 * Returns the absolute value of a sum. Evaluates the sum with the calculator tool unless it is a single amount. Returns
 * `undefined` if the expression is empty.
 */
function* worth(expression: string, desk: Desk): Script<string | undefined> {
  if (expression === "") return undefined;
  const result = /[+-]/.test(expression)
    ? yield* desk.call(call("calculate", { expression }))
    : expression;
  return dollars(result.replace(/^-/, ""));
}

/** Adds a zero to an amount that has a single decimal: `625.6` becomes `625.60`. */
function dollars(amount: string | undefined): string | undefined {
  return amount?.replace(/\.\d$/, "$&0");
}

function available(product: JsonObject | undefined): JsonObject[] {
  return rows(product, "variants").filter((one) =>
    one.get("available") === true
  );
}

/**
 * Sorts items by price, with the most expensive first if `words` contains `most expensive`, and the cheapest first
 * otherwise.
 */
function byPrice(items: readonly JsonObject[], words: string): JsonObject[] {
  const sign = words.includes("most expensive") ? -1 : 1;
  return items.toSorted((a, b) =>
    sign * (numberIn(a, "price") - numberIn(b, "price"))
  );
}

function options(item: JsonObject): string {
  return [...row(item, "options")?.values() ?? []].join(", ");
}

function priceOf(item: JsonObject | undefined): string | undefined {
  return dollars(shown(item?.get("price")));
}
