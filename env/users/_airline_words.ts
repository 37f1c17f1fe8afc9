/**
 * What an airline's customer says of a trip. Values stand exactly as the goal has them.
 *
 * @module
 */

import { nameOf, type Trip } from "../airline/goal/trip.ts";
import type { Request } from "../types.ts";

/** What the customer wants, to follow "i want to" (questions: "what is the"); details only where it is forthcoming. Backwards, the last detail comes first and people are named otherwise, so that who reads it has to speak for themselves. */
export function airlineRequestWords(
  request: Request,
  { isBackwards = false }: { readonly isBackwards?: boolean } = {},
): string {
  const { intent, trip = {}, question = "answer" } = request;
  if (intent === "question") return question;
  const told = request.forthcoming === true ? detailWords(request) : [];
  const all = isBackwards
    ? told.toReversed().map((words) =>
      words.replaceAll(" born ", ", ").replace(" instead of ", " in place of ")
    )
    : told;
  const details = all.length === 0 ? "" : `: ${all.join(", ")}`;
  return `${wishWords(request)}${aboutWords(request.intent, trip)}${
    request.reason === undefined ? "" : ` because ${request.reason}`
  }${details}`;
}

function wishWords({ intent, trip = {} }: Request): string {
  switch (intent) {
    case "book":
      return "book a trip";
    case "change_flights":
      return trip.date === undefined
        ? "change the flight back of"
        : "change the flight out of";
    case "change_cabin":
      return "change the cabin of";
    case "change_passengers":
      return trip.replaced === undefined
        ? "add a passenger to"
        : "change a passenger of";
    case "add_bags":
      return (trip.bags ?? 0) < 0 ? "remove a bag from" : "add bags to";
    case "certificate":
      return "be compensated, since the airline cancelled a flight of";
    default:
      return "cancel";
  }
}

function aboutWords(intent: Request["intent"], trip: Trip): string {
  return intent === "book" ? "" : ` ${reservationWords(trip)}`;
}

/** The reservation as the customer names it. */
export function reservationWords({ reservationId, from, to }: Trip): string {
  return reservationId === undefined
    ? `my trip from ${from} to ${to}`
    : `reservation ${reservationId}`;
}

/** The kinds of detail that an agent may ask for. */
export type TripDetail =
  | "reservation"
  | "route"
  | "date"
  | "pick"
  | "cabin"
  | "passengers"
  | "bags"
  | "insurance"
  | "pay";

/** Each detail of a request in the customer's words, in the order in which they tell them. */
export function tripDetails(
  { intent, trip = {} }: Request,
): Map<TripDetail, string> {
  const { from, to, date, returnDate, pick, cabin, passengers, bags } = trip;
  const details = new Map<TripDetail, string>();
  if (intent === "book") details.set("route", `from ${from} to ${to}`);
  else details.set("reservation", reservationWords(trip));
  const days = [
    ...(date === undefined ? [] : [`on ${date}`]),
    ...(returnDate === undefined ? [] : [`back on ${returnDate}`]),
  ];
  if (days.length > 0) details.set("date", days.join(" and "));
  if (pick !== undefined) details.set("pick", `the ${pick} direct flight`);
  if (cabin !== undefined) {
    details.set("cabin", `in ${cabin.replace("_", " ")}`);
  }
  if (passengers !== undefined) {
    const who = passengers.map((one) => `${nameOf(one)} born ${one.dob}`);
    const instead = trip.replaced === undefined
      ? ""
      : ` instead of ${trip.replaced}`;
    details.set("passengers", `for ${who.join(" and ")}${instead}`);
  }
  if (bags !== undefined) details.set("bags", bagWords(intent, bags));
  if (trip.insurance !== undefined) {
    details.set("insurance", `travel insurance ${trip.insurance}`);
  }
  if (trip.pay !== undefined) {
    details.set(
      "pay",
      `paid with ${trip.pay.map((one) => `my ${one}`).join(", then ")}`,
    );
  }
  return details;
}

function bagWords(intent: Request["intent"], bags: number): string {
  const count = Math.abs(bags);
  const noun = count === 1 ? "bag" : "bags";
  if (intent === "book") return `${count} ${noun} in all`;
  return bags < 0 ? `${count} ${noun} less` : `${count} more ${noun}`;
}

function detailWords(request: Request): string[] {
  return [...tripDetails(request)].filter(([kind]) => kind !== "reservation")
    .map(([, words]) => words);
}
