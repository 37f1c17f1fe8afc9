/**
 * Phrases an airline user's requests and the details of their trips. Ids, names, dates and airports appear exactly as
 * in the goal.
 */

import {
  type AirlineRequest,
  nameOf,
  type Traveller,
  type Trip,
} from "../goal/request.ts";

/** The style in which a request is phrased. */
interface Style {
  /**
   * Whether to put the last detail first and use other phrases, so that a model cannot recite the scripted user's
   * words.
   */
  readonly isBackwards?: boolean;
}

/**
 * Phrases a request as the continuation of "i want to" or, for a question, of "what is the". The phrase includes the
 * details only if `request.forthcoming` is set, except for a new destination or another account, which it always
 * includes.
 */
export function airlineRequestWords(
  request: AirlineRequest,
  { isBackwards = false }: Style = {},
): string {
  const { intent, trip = {}, question = "answer" } = request;
  if (intent === "question") {
    return isBackwards && trip.pick !== undefined
      ? flightQuestion(trip)
      : question;
  }
  const told = request.forthcoming === true ? detailWords(request) : [];
  const all = isBackwards ? told.toReversed().map(rephrased) : told;
  const details = all.length === 0 ? "" : `: ${all.join(", ")}`;
  const wish = isBackwards && intent === "certificate"
    ? compensationWords(trip)
    : wishWords(request);
  return `${wish}${aboutWords(intent, trip)}${
    request.reason === undefined ? "" : ` because ${request.reason}`
  }${volunteeredWords(trip, { isBackwards })}${details}`;
}

function flightQuestion({ pick, from, to, date, cabin = "economy" }: Trip) {
  return `number of a flight: of the direct ones that leave ${from} for ${to} the ${pick}, on ${date}, where ${
    cabinWords(cabin)
  } has a free seat`;
}

/**
 * Rephrases words without changing their meaning, so that a model that plays the user cannot recite the scripted
 * sentence.
 */
function rephrased(words: string): string {
  return words.replaceAll(" born ", ", ")
    .replace(" instead of ", " in place of ")
    .replace("a round trip on", "a round trip, leaving on")
    .replace("and back", "and going back");
}

function compensationWords({ delayed }: Trip): string {
  const what = delayed === true ? "was late" : "the airline cancelled";
  return `be compensated for a flight that ${what}, of`;
}

function wishWords({ intent, trip = {} }: AirlineRequest): string {
  switch (intent) {
    case "book":
      return "book a trip";
    case "change_flights":
      return `change the flight ${trip.date === undefined ? "back" : "out"} of`;
    case "change_cabin":
      return "change the cabin of";
    case "change_passengers":
      return trip.replaced === undefined
        ? "add a passenger to"
        : "change a passenger of";
    case "add_bags":
      return (trip.bags ?? 0) < 0 ? "remove a bag from" : "add bags to";
    case "certificate":
      return `arrange a compensation, since ${
        trip.delayed === true
          ? "a flight was late of"
          : "the airline cancelled a flight of"
      }`;
    default:
      return "cancel";
  }
}

/**
 * Phrases the details that users state without being asked, because no agent would ask for them: another account or
 * another destination.
 */
function volunteeredWords(
  { account, newTo }: Trip,
  { isBackwards = false }: Style,
): string {
  const goes = isBackwards ? "so that it leads to" : "to one that goes to";
  return (newTo === undefined ? "" : ` ${goes} ${newTo}`) +
    (account === undefined ? "" : ` on the account of ${account}`);
}

function aboutWords(intent: AirlineRequest["intent"], trip: Trip): string {
  return intent === "book" ? "" : ` ${reservationWords(trip)}`;
}

/** Describes a reservation in the user's words, by its id or its route. */
export function reservationWords({ reservationId, from, to }: Trip): string {
  return reservationId === undefined
    ? `my trip from ${from} to ${to}`
    : `reservation ${reservationId}`;
}

/** A kind of detail that an agent may ask for. */
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

/** Returns the details of a request in the user's words, in the order in which the user states them. */
export function tripDetails(
  { intent, trip = {} }: AirlineRequest,
): Map<TripDetail, string> {
  const all: [TripDetail, string | undefined][] = [
    intent === "book"
      ? ["route", `from ${trip.from} to ${trip.to}`]
      : ["reservation", reservationWords(trip)],
    ["date", dateWords(intent, trip)],
    ["pick", pickWords(trip)],
    ["cabin", trip.cabin && `in ${cabinWords(trip.cabin)}`],
    ["passengers", trip.passengers && partyWords(trip.passengers, trip)],
    ["bags", trip.bags === undefined ? undefined : bagWords(intent, trip)],
    ["insurance", trip.insurance && insuranceWords(trip.insurance)],
    ["pay", trip.pay && payWords(trip.pay)],
  ];
  return new Map(
    all.filter((one): one is [TripDetail, string] => one[1] !== undefined),
  );
}

/** Phrases a cabin: `basic_economy` becomes `basic economy`. */
export function cabinWords(cabin: string): string {
  return cabin.replace("_", " ");
}

function dateWords(
  intent: AirlineRequest["intent"],
  { date, returnDate, backFrom }: Trip,
): string | undefined {
  const back = returnDate === undefined ? [] : [
    `back ${backFrom === undefined ? "" : `from ${backFrom} `}on ${returnDate}`,
  ];
  const days = [...date === undefined ? [] : [`on ${date}`], ...back];
  if (days.length === 0) return undefined;
  const kind = intent !== "book"
    ? ""
    : returnDate === undefined
    ? "one way "
    : "a round trip ";
  return kind + days.join(" and ");
}

function pickWords(
  { flight, pick, stops, returnDate, date }: Trip,
): string | undefined {
  const flights = stops === undefined ? "direct flight" : "way with one stop";
  const chosen = pick && `the ${pick} ${flights}`;
  if (flight === undefined) return chosen;
  const isRound = date !== undefined && returnDate !== undefined;
  return isRound && chosen !== undefined
    ? `on flight ${flight} and back on the ${pick} direct one`
    : `on flight ${flight}`;
}

function partyWords(
  passengers: readonly Traveller[],
  { replaced }: Trip,
): string {
  const who = passengers.map((one) => `${nameOf(one)} born ${one.dob}`);
  const instead = replaced === undefined ? "" : ` instead of ${replaced}`;
  return `for ${who.join(" and ")}${instead}`;
}

function bagWords(
  intent: AirlineRequest["intent"],
  { bags = 0, unpaid }: Trip,
): string {
  const count = Math.abs(bags);
  const noun = count === 1 ? "bag" : "bags";
  const free = unpaid === true ? "free " : "";
  if (intent === "book") return `${count} ${free}${noun} in all`;
  return bags < 0 ? `${count} ${noun} less` : `${count} more ${free}${noun}`;
}

function insuranceWords(insurance: string): string {
  return insurance === "yes"
    ? "yes to travel insurance"
    : "no travel insurance";
}

/** Phrases the payment methods: `paid with my two certificates, then my credit card`. */
function payWords(pay: readonly string[]): string {
  const kinds = [...new Set(pay)].map((kind) =>
    pay.filter((one) => one === kind).length === 1
      ? `my ${kind}`
      : `my two ${kind}s`
  );
  return `paid with ${kinds.join(", then ")}`;
}

function detailWords(request: AirlineRequest): string[] {
  return [...tripDetails(request)].filter(([kind]) => kind !== "reservation")
    .map(([, words]) => words);
}
