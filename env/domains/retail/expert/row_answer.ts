/** Finds the expert's answers to questions of a fixed form in the rows that the tools have shown. */

import type { Desk } from "../../../agents/desk.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";

/**
 * Returns the answer to a question of a fixed form about one row: `total of order #W123`, `balance of my gift card`.
 * Returns `undefined` for any other question, or if no shown row contains the answer.
 */
export function rowAnswer(
  question: string,
  { desk, order }: { desk: Desk; order: JsonObject | undefined },
): string | undefined {
  const what =
    question.match(/^(.*?) (?:of|in) (?:order #|my order |my gift card)/)
      ?.[1] ?? "";
  const [, field = what, name] = what.match(/^(.*) of the (.*)$/) ?? [];
  const item = rows(order, "items").find((one) => text(one, "name") === name);
  const payment = rows(order, "payment_history")[0];
  switch (field) {
    case "total":
      return shown(payment?.get("amount"));
    case "status":
      return shown(order?.get("status"));
    case "tracking id":
      return texts(rows(order, "fulfillments")[0], "tracking_id")[0];
    case "balance":
      return shown(giftCard(desk.user)?.get("balance"));
    case "price":
      return shown(item?.get("price"));
    default:
      return shown(row(item, "options")?.get(field));
  }
}

function giftCard(profile: JsonObject | undefined): JsonObject | undefined {
  return rows(profile, "payment_methods")
    .find((method) => text(method, "source") === "gift_card");
}

/** Returns a value as the tools print it, or `undefined` if there is no value. */
export function shown(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" ? value : printPythonJson(value);
}
