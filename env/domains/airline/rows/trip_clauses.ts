/** Phrases an airline user's requests in the style of a benchmark's instructions. */

import { listed } from "../../../generated/instruction.ts";
import type { Rng } from "../../../random.ts";
import type { AirlineRequest, Trip } from "../goal/request.ts";
import { nameOf } from "../goal/request.ts";
import { cabinWords } from "../user/trip_words.ts";

/** Phrases a request as the continuation of "you want to". */
export function tripClause(rng: Rng, request: AirlineRequest): string {
  const { intent, trip = {}, question = "" } = request;
  const whose = namedWords(trip, rng);
  const pay = listed((trip.pay ?? []).map((kind) => `your ${kind}`));
  switch (intent) {
    case "book":
      return bookingClause(trip, pay);
    case "cancel":
      return `cancel ${whose}`;
    case "add_bags":
      return `${
        rng.pick([
          `add ${bagsOf(trip)} to ${whose}`,
          `take ${bagsOf(trip)} more along on ${whose}`,
        ])
      }, and pay with ${pay} where it costs anything`;
    case "change_cabin": {
      const cabin = cabinWords(trip.cabin ?? "");
      return `${
        rng.pick([
          `change the cabin of ${whose} to ${cabin}`,
          `fly in ${cabin} on ${whose}, on the same flights`,
        ])
      }, and settle the difference with ${pay}`;
    }
    case "change_flights":
      return `move the flight ${
        trip.date === undefined ? "back" : "out"
      } of ${whose} to ${trip.date ?? trip.returnDate}, on ${
        flightWords(trip)
      }, and settle the difference with ${pay}`;
    case "change_passengers":
      return `have ${
        (trip.passengers ?? []).map((one) => `${nameOf(one)}, born ${one.dob},`)
          .join(" and ")
      } fly in the place of ${trip.replaced} on ${whose}`;
    default:
      return `know ${question}`;
  }
}

/** Describes a reservation by its id or by its route: `reservation ABC123`, `your trip from JFK to SEA`. */
function namedWords({ reservationId, from, to }: Trip, rng: Rng): string {
  return reservationId === undefined
    ? `your ${rng.pick(["trip", "upcoming trip"])} from ${from} to ${to}`
    : `reservation ${reservationId}`;
}

function bookingClause(trip: Trip, pay: string): string {
  const { from, to, date, returnDate, cabin = "", insurance } = trip;
  const days = returnDate === undefined
    ? `one way on ${date}`
    : `as a round trip, out on ${date} and back on ${returnDate}`;
  const party = listed((trip.passengers ?? []).map(nameOf));
  return `book a flight from ${from} to ${to}, ${days}, on ${
    flightWords(trip)
  }, in ${cabinWords(cabin)}, for ${party}, with ${bagsOf(trip)} in all, ${
    insurance === "yes"
      ? "with yes to travel insurance"
      : "with no travel insurance"
  }, paid with ${pay}${(trip.pay ?? []).length > 1 ? " in this order" : ""}`;
}

function flightWords({ flight, pick, stops, returnDate, date }: Trip): string {
  const chosen = `the ${pick} ${
    stops === undefined ? "direct flight" : "way with one stop"
  }`;
  if (flight === undefined) return chosen;
  return pick !== undefined && date !== undefined && returnDate !== undefined
    ? `${flight} out and ${chosen} back`
    : `flight ${flight}`;
}

function bagsOf({ bags = 0 }: Trip): string {
  return `${bags} checked ${bags === 1 ? "bag" : "bags"}`;
}
