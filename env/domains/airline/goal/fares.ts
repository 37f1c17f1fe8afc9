/**
 * Looks up flights, prices and baggage allowances for the calls that fulfill goals. The implementation is independent
 * of the tools.
 */

import type { Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { numberIn, row, rows, text } from "../../shared/read_row.ts";
import { flightsBetween, routesOf } from "../routes.ts";
import { AIRPORTS } from "../tools/list_all_airports.ts";
import type { Cabin, Pick } from "./request.ts";

/** The price of a bag in excess of the free allowance, in dollars. */
export const PRICE_OF_A_BAG = 50;

/** The price of travel insurance per passenger, in dollars. */
export const PRICE_OF_INSURANCE = 30;

const FREE = {
  regular: { basic_economy: 0, economy: 1, business: 2 },
  silver: { basic_economy: 1, economy: 2, business: 3 },
  gold: { basic_economy: 2, economy: 3, business: 3 },
} as const;

/**
 * Returns the number of free bags per passenger. An unknown membership counts as `regular`; an unknown cabin has no
 * free bags.
 */
export function freeBags(membership: string, cabin: string): number {
  const own = Object.entries(FREE).find(([name]) => name === membership)?.[1];
  return Object.entries(own ?? FREE.regular).find(([name]) => name === cabin)
    ?.[1] ?? 0;
}

/**
 * Returns the code of the airport that `words` names, either by its code or by its city. Unknown names are returned
 * unchanged.
 */
export function airportOf(words: string): string {
  for (const [code, city] of AIRPORTS) {
    if (code === words || city.toLowerCase() === words.toLowerCase()) {
      return code;
    }
  }
  return words;
}

/** Checks whether `words` is not the code of a known airport, so that the agent has to look it up as a city. */
export function isCity(words: string): boolean {
  return !AIRPORTS.has(words);
}

/**
 * Returns the price of a seat on a flight, in dollars, or `undefined` if the flight cannot be booked or has too few
 * seats.
 */
export function seatPrice(
  flight: JsonObject | undefined,
  { date, cabin, seats }: { date: string; cabin: string; seats: number },
): number | undefined {
  const day = row(row(flight, "dates"), date);
  if (text(day, "status") !== "available") return undefined;
  const free = numberIn(row(day, "available_seats"), cabin);
  return free >= seats ? numberIn(row(day, "prices"), cabin) : undefined;
}

/** The criteria of a flight search. */
export interface FlightCriteria {
  readonly from: string;
  readonly to: string;
  readonly date: string;
  readonly cabin: Cabin;
  readonly seats: number;
  readonly pick: Pick;
}

/**
 * Returns the direct flights that match the criteria best. Returns several flights if they tie, and none if no flight
 * can be booked.
 */
export function flightsFit(
  database: Database,
  wanted: FlightCriteria,
): JsonObject[] {
  const open = flightsBetween(
    routesOf(database),
    airportOf(wanted.from),
    airportOf(wanted.to),
  ).flatMap((flight) => {
    const price = seatPrice(flight, wanted);
    return price === undefined ? [] : [{ flight, price }];
  });
  const rank = ({ flight, price }: { flight: JsonObject; price: number }) => {
    if (wanted.pick === "cheapest") return price;
    const [hours = 0, minutes = 0] = text(
      flight,
      "scheduled_departure_time_est",
    ).split(":").map(Number);
    return (wanted.pick === "earliest" ? 1 : -1) * (60 * hours + minutes);
  };
  const best = Math.min(...open.map(rank));
  return open.filter((one) => rank(one) === best).map(({ flight }) => flight);
}

/**
 * Returns the cheapest pairs of connecting flights. The second flight of a pair must not depart before the first
 * arrives. Returns several pairs if they tie, and none if no pair can be booked.
 */
export function connectionsFit(
  database: Database,
  wanted: Omit<FlightCriteria, "pick">,
): JsonObject[][] {
  const routes = routesOf(database);
  const to = airportOf(wanted.to);
  const pairs = (routes.from.get(airportOf(wanted.from)) ?? []).flatMap(
    (first) =>
      flightsBetween(routes, text(first, "destination"), to).flatMap(
        (second) => pairOf([first, second], wanted),
      ),
  );
  const best = Math.min(...pairs.map(({ price }) => price));
  return pairs.filter(({ price }) => price === best).map(({ legs }) => legs);
}

function pairOf(
  legs: readonly [JsonObject, JsonObject],
  seat: { date: string; cabin: string; seats: number },
): { legs: JsonObject[]; price: number }[] {
  const [first, second] = legs;
  const [a, b] = legs.map((one) => seatPrice(one, seat));
  const arrives = text(first, "scheduled_arrival_time_est");
  const leaves = text(second, "scheduled_departure_time_est");
  return a === undefined || b === undefined || arrives > leaves
    ? []
    : [{ legs: [first, second], price: a + b }];
}

/** Returns the ids of the user's payment methods of the kind that `words` names, such as `gift card`. */
export function methodsNamed(
  user: JsonObject | undefined,
  words: string,
): string[] {
  return rows(user, "payment_methods")
    .filter((one) => text(one, "source") === words.replace(" ", "_"))
    .map((one) => text(one, "id"));
}

/** Returns the Cartesian product of the choices. */
export function product<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>(
    (lists, next) => lists.flatMap((list) => next.map((one) => [...list, one])),
    [[]],
  );
}
