/** Answers questions of a fixed form for the expert, using the rows that the tools have shown. */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { numberIn, rows, text } from "../../shared/read_row.ts";
import { flightsFit } from "../goal/fares.ts";
import { type AirlineRequest, nameOf } from "../goal/request.ts";
import { seenRows } from "./seen.ts";
import { sumOf } from "./sum_of.ts";

/**
 * Returns the answer to a question. The answer is `undefined` or empty if the shown rows do not contain it.
 * @param held The reservation that the question is about.
 */
export function* tripAnswer(
  request: AirlineRequest,
  { desk, held }: { desk: Desk; held: JsonObject | undefined },
): Script<string | undefined> {
  const { question = "" } = request;
  const [first] = rows(held, "flights");
  if (question.startsWith("balance of")) return balance(desk);
  if (question.startsWith("date of birth of")) return birthday(question, desk);
  if (question.startsWith("number of the first flight")) {
    return text(first, "flight_number");
  }
  if (question.startsWith("date of the first flight")) {
    return text(first, "date");
  }
  if (question.startsWith("price paid for")) {
    const paid = rows(held, "payment_history");
    return yield* sumOf(paid.map((one) => numberIn(one, "amount")), desk);
  }
  return flightNumber(request, desk);
}

function balance({ user }: Desk): string | undefined {
  const card = rows(user, "payment_methods")
    .find((one) => text(one, "source") === "gift_card");
  return card === undefined ? undefined : String(numberIn(card, "amount"));
}

/**
 * Returns the date of birth of the saved passenger named at the end of the question, or `undefined` if there is none.
 */
function birthday(question: string, { user }: Desk): string | undefined {
  const one = rows(user, "saved_passengers").find((one) =>
    question.endsWith(
      ` ${
        nameOf({
          firstName: text(one, "first_name"),
          lastName: text(one, "last_name"),
          dob: "",
        })
      }`,
    )
  );
  return one && text(one, "dob");
}

function flightNumber({ trip }: AirlineRequest, desk: Desk) {
  const { from, to, date, pick, cabin } = trip ?? {};
  if (
    from === undefined || to === undefined || date === undefined ||
    pick === undefined || cabin === undefined
  ) return undefined;
  const wanted = { from, to, date, pick, cabin, seats: 1 };
  return text(flightsFit(seenRows(desk), wanted)[0], "flight_number");
}
