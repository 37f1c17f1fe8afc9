/**
 * Phrases the expert's messages in the airline domain. When the expert reads a call back to the user, it states every
 * new value in the call. Each id directly follows a description: `your gift card gift_card_1234567`.
 */

import type { JsonObject } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { MORE } from "../../shared/expert/words.ts";
import type { AirlineRequest } from "../goal/request.ts";
import {
  cabinWords,
  reservationWords,
  type TripDetail,
} from "../user/trip_words.ts";
import { numberIn, rows, text } from "../../shared/read_row.ts";

/** A detail that the expert may have to ask the user for. */
export type AirlineMissing = TripDetail | "id" | "wish";

const QUESTIONS: Readonly<Record<AirlineMissing, string>> = {
  id: "sure. what is your user id?",
  wish: "what exactly do you want me to do?",
  reservation: "which reservation is it?",
  route: "where do you want to fly, from which airport to which?",
  date: "on what date?",
  pick: "which flight do you prefer?",
  cabin: "which cabin?",
  passengers: "who is to fly? please tell me the passengers.",
  bags: "how many bags?",
  insurance: "do you want insurance?",
  pay: "how do you want to pay?",
};

/** Returns the question that asks for a missing detail. */
export function askTripWords(missing: AirlineMissing): string {
  return QUESTIONS[missing];
}

/** The expert's reply to a request that it cannot understand or fulfill. */
export const CANNOT = "sorry, i cannot do that.";

/** A call to read back to the user, and the rows that were looked up for it. */
interface Call {
  readonly write: ToolAction;
  /** The user's profile, which states the kind of each payment method. */
  readonly profile: JsonObject | undefined;
  /** The reservation that the call concerns; `undefined` for a booking. */
  readonly held: JsonObject | undefined;
}

/** Returns the message that reads the details of a call back to the user and asks for consent. */
export function confirmTripWords(
  { request, ...call }: Call & { readonly request: AirlineRequest },
): string {
  return `i will ${summary(request, call)}, yes or no?`;
}

function summary(request: AirlineRequest, call: Call): string {
  const { name, arguments: args } = call.write;
  const trip = text(args, "reservation_id");
  switch (name) {
    case "book_reservation":
      return bookingWords(call);
    case "update_reservation_baggages":
      return `add ${more(request)} to reservation ${trip}, ${
        bagsWords(args)
      }, with ${payingWords(call)}`;
    case "update_reservation_passengers":
      return `let ${partyWords(args)} fly on reservation ${trip}`;
    case "update_reservation_flights":
      return request.intent === "change_cabin"
        ? `change the cabin of reservation ${trip} to ${
          cabinWords(text(args, "cabin"))
        } on all its flights, with ${payingWords(call)}`
        : `change reservation ${trip} to ${newLegsWords(call)} in ${
          cabinWords(text(args, "cabin"))
        }, with ${payingWords(call)}`;
    case "send_certificate":
      return `give you a certificate of ${
        numberIn(args, "amount")
      } dollars for ${own(reservationWords(request.trip ?? {}))}`;
    default:
      return `cancel reservation ${trip}`;
  }
}

function bookingWords(call: Call): string {
  const { arguments: args } = call.write;
  const kind = text(args, "flight_type") === "one_way"
    ? "one way trip"
    : "round trip";
  const paid = rows(args, "payment_methods").map((one) =>
    `${numberIn(one, "amount")} dollars with ${
      methodWords(call, text(one, "payment_id"))
    }`
  );
  const insured = text(args, "insurance") === "yes" ? "with" : "without";
  return [
    `book a ${kind} from ${text(args, "origin")} to ${
      text(args, "destination")
    } in ${cabinWords(text(args, "cabin"))}`,
    `on ${legsWords(args)}`,
    `for ${partyWords(args)}`,
    bagsWords(args),
    `${insured} insurance`,
    paid.join(" and "),
  ].join(", ");
}

function more({ trip }: AirlineRequest): string {
  const bags = trip?.bags ?? 0;
  return bags === 1 ? "1 more bag" : `${bags} more bags`;
}

function bagsWords(args: JsonObject): string {
  const all = numberIn(args, "total_baggages");
  return `${all} ${all === 1 ? "bag" : "bags"} in all, ${
    numberIn(args, "nonfree_baggages")
  } of them paid for`;
}

function partyWords(args: JsonObject): string {
  return rows(args, "passengers").map((one) =>
    `${text(one, "first_name")} ${text(one, "last_name")} born ${
      text(one, "dob")
    }`
  ).join(" and ");
}

function legsWords(args: JsonObject): string {
  return rows(args, "flights").map(legWords).join(" and ");
}

/** Describes the flights in a call that are not yet part of the reservation. */
function newLegsWords({ write, held }: Call): string {
  const kept = rows(held, "flights").map(legWords);
  return rows(write.arguments, "flights").map(legWords)
    .filter((one) => !kept.includes(one)).join(" and ");
}

function legWords(leg: JsonObject): string {
  return `${text(leg, "flight_number")} of ${text(leg, "date")}`;
}

function payingWords(call: Call): string {
  return methodWords(call, text(call.write.arguments, "payment_id"));
}

/**
 * Describes a payment method by its kind and id (`your gift card gift_card_1234567`), or by its id alone if the profile
 * does not contain it.
 */
function methodWords({ profile }: Call, id: string): string {
  const method = rows(profile, "payment_methods")
    .find((one) => text(one, "id") === id);
  return method === undefined
    ? id
    : `your ${text(method, "source").replace("_", " ")} ${id}`;
}

function own(words: string): string {
  return words.replaceAll(/\bmy\b/g, "your");
}

/** Returns the message that reports that a request has been fulfilled. */
export function doneTripWords({ intent, trip }: AirlineRequest): string {
  return `done, ${result(intent, own(reservationWords(trip ?? {})))}. ${MORE}`;
}

function result(intent: AirlineRequest["intent"], about: string): string {
  switch (intent) {
    case "book":
      return "the trip is booked";
    case "cancel":
      return `${about} is cancelled`;
    case "certificate":
      return "the certificate is yours";
    case "add_bags":
      return `the bags of ${about} are changed`;
    case "change_passengers":
      return `the passengers of ${about} are changed`;
    case "change_cabin":
      return `the cabin of ${about} is changed`;
    default:
      return `the flights of ${about} are changed`;
  }
}

/** Returns the message that refuses a request. It states the reason that policy prescribes for the broken clause. */
export function refuseTripWords(
  clause: string,
  about: { userId: string; held: JsonObject | undefined },
): string {
  return `sorry, ${reason(clause, about)}, so i cannot do that.`;
}

function reason(
  clause: string,
  { userId, held }: { userId: string; held: JsonObject | undefined },
): string {
  const first = text(rows(held, "flights")[0], "flight_number");
  const booked = `it was booked at ${text(held, "created_at")}`;
  switch (clause) {
    case "account.own_reservation":
      return `that reservation is not of ${userId}`;
    case "account.own_profile":
      return `that account is not of ${userId}`;
    case "cancel.allowed":
      return `${booked}, without insurance and not in business`;
    case "certificate.eligible":
      return `${booked} and gives no right to that`;
    case "cancel.not_flown":
      return `${first} has been flown`;
    case "flights.available":
      return "there are not enough seats";
    case "book.passengers":
      return "there are at most five passengers";
    case "book.flights":
      return "the way back starts at the destination";
    case "book.payment":
      return "at most one certificate can pay";
    case "bags.paid":
      return "no more bags are free";
    case "change.payment":
      return `no certificate pays for a change of ${first}`;
    case "change.not_cancelled":
      return `the trip that begins with ${first} was given back`;
    default:
      return `the trip that begins with ${first} cannot be changed like that`;
  }
}
