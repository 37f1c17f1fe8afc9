/**
 * Answers a user's free-form question for the expert. Recognizes the topics of the question, and looks up or computes
 * an answer for each topic.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { call } from "../../shared/call.ts";
import { numberIn, rows, text } from "../../shared/read_row.ts";
import { freeBags } from "../goal/fares.ts";
import { calculated, sumOf } from "./sum_of.ts";

/**
 * Returns the answers to the topics that the expert recognizes in a question. The list is empty if it recognizes none.
 */
export function* answersTo(question: string, desk: Desk): Script<string[]> {
  const words = question.toLowerCase();
  const answers: string[] = [];
  for (const source of ["gift card", "certificate"]) {
    if (!words.includes(`sum of ${source} balances`)) continue;
    const amounts = rows(desk.user, "payment_methods").filter((one) =>
      text(one, "source") === source.replace(" ", "_")
    ).map((one) => numberIn(one, "amount"));
    answers.push(yield* sumOf(amounts, desk));
  }
  if (/how much (money (i have )?saved|the refund would be)/.test(words)) {
    answers.push(yield* calculated(savedBy(desk), desk));
  }
  if (/how much my (\w+ )?card will be charged/.test(words)) {
    answers.push(yield* sumOf(chargesOf(desk), desk));
  }
  if (/\b(how many|number of) (total )?(suitcases|bags)\b/.test(words)) {
    answers.push(...yield* bagsAllowed(question, desk));
  }
  return answers;
}

/** Returns the amounts, in dollars, that bookings charged to credit cards. */
function chargesOf({ calls }: Desk): number[] {
  return calls.flatMap(({ action }) =>
    rows(action.arguments, "payment_methods")
  )
    .filter((one) => text(one, "payment_id").startsWith("credit_card"))
    .map((one) => numberIn(one, "amount"));
}

/** Returns an arithmetic expression for the total amount that all passengers have saved through flight changes. */
function savedBy({ calls }: Desk): string {
  return calls.flatMap(({ action, shown }, i) => {
    if (action.name !== "update_reservation_flights") return [];
    const id = text(action.arguments, "reservation_id");
    const before = calls.slice(0, i).findLast((one) =>
      text(one.shown, "reservation_id") === id
    )?.shown;
    const people = rows(shown, "passengers").length;
    return [`${people} * (${fares(before)} - (${fares(shown)}))`];
  }).join(" + ");
}

function fares(held: JsonValue | undefined): string {
  return rows(held, "flights").map((one) => numberIn(one, "price")).join(" + ");
}

/** Looks up each reservation named in the question, and returns the total number of free bags for its passengers. */
function* bagsAllowed(question: string, desk: Desk): Script<string[]> {
  const answers: string[] = [];
  for (const [reservation_id] of question.matchAll(/\b[A-Z0-9]{6}\b/g)) {
    yield* desk.call(call("get_reservation_details", { reservation_id }));
    const held: JsonObject | undefined = desk.row(
      "reservation_id",
      reservation_id,
    );
    const each = freeBags(text(desk.user, "membership"), text(held, "cabin"));
    answers.push(String(each * rows(held, "passengers").length));
  }
  return answers;
}
