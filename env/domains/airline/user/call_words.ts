/** Phrases a call with all its arguments, as the continuation of "i want to". */

import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { rows, text } from "../../shared/read_row.ts";
import { cabinWords } from "./trip_words.ts";

/** Phrases a write. For any other call, returns the name of its tool in words. */
export function callWords({ name, arguments: args }: ToolAction): string {
  const trip = `reservation ${text(args, "reservation_id")}`;
  const pay = `with ${text(args, "payment_id")}`;
  switch (name) {
    case "book_reservation":
      return bookingWords(args);
    case "cancel_reservation":
      return `cancel ${trip}`;
    case "update_reservation_flights":
      return `change the flights of ${trip} to ${legsWords(args)} in ${
        cabinWords(text(args, "cabin"))
      }, ${pay}`;
    case "update_reservation_passengers":
      return `change the passengers of ${trip} to ${partyWords(args)}`;
    case "update_reservation_baggages":
      return `change the bags of ${trip} to ${bagsWords(args)}, ${pay}`;
    case "send_certificate":
      return `have a certificate of ${number(args.get("amount"))} dollars`;
    default:
      return name.replaceAll("_", " ");
  }
}

function bookingWords(args: JsonObject): string {
  const kind = text(args, "flight_type").replace("_", " ");
  const paid = rows(args, "payment_methods").map((one) =>
    `${number(one.get("amount"))} dollars with ${text(one, "payment_id")}`
  );
  return [
    `book a ${kind} from ${text(args, "origin")} to ${
      text(args, "destination")
    } in ${cabinWords(text(args, "cabin"))}`,
    `on ${legsWords(args)}`,
    `for ${partyWords(args)}`,
    bagsWords(args),
    `${text(args, "insurance")} to insurance`,
    paid.join(" and "),
  ].join(", ");
}

function legsWords(args: JsonObject): string {
  return rows(args, "flights").map((one) =>
    `${text(one, "flight_number")} of ${text(one, "date")}`
  ).join(" and ");
}

function partyWords(args: JsonObject): string {
  return rows(args, "passengers").map((one) =>
    `${text(one, "first_name")} ${text(one, "last_name")} born ${
      text(one, "dob")
    }`
  ).join(" and ");
}

function bagsWords(args: JsonObject): string {
  return `${number(args.get("total_baggages"))} bags in all, ${
    number(args.get("nonfree_baggages"))
  } of them paid for`;
}

function number(value: JsonValue | undefined): string {
  return printPythonJson(value ?? 0);
}
