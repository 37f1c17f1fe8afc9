/**
 * Finds the flights that a user describes: the cheapest, earliest or latest direct flight of a day, or the cheapest
 * pair with one stop. An ambiguous description matches no flight.
 */

import type { Cabin, Pick } from "../goal/request.ts";
import type { Flight } from "./flight_rows.ts";
import type { AirlineWorld, Leg } from "./rows.ts";

/** The cabin and the number of seats that a user wants on a flight. */
export interface Seats {
  readonly cabin: Cabin;
  readonly seats: number;
}

/** The route, date and seats of the flight that a user wants. */
export interface WantedFlight extends Seats {
  readonly from: string;
  readonly to: string;
  readonly date: string;
}

/** The criteria by which users choose a flight. */
export const PICKS: readonly Pick[] = ["cheapest", "earliest", "latest"];

/** Draws a date later than `after` and different from `not`, or returns `undefined` if there is none. */
export function drawDate(
  { rng, routes }: AirlineWorld,
  { after, not }: { after: string; not?: string | undefined },
): string | undefined {
  const [flights] = routes.values();
  const dates = [...flights?.[0]?.days.keys() ?? []].filter((date) =>
    date > after && date !== not
  );
  return dates.length === 0 ? undefined : rng.pick(dates);
}

/** Returns the direct flight that the user wants, or `undefined` if no flight or more than one flight fits. */
export function directFlight(
  { routes }: AirlineWorld,
  wanted: WantedFlight & { readonly pick: Pick },
): Leg | undefined {
  const { from, to, date, pick } = wanted;
  const open = (routes.get(`${from}-${to}`) ?? []).flatMap((flight): Leg[] => {
    const price = fareOf(flight, wanted);
    return price === undefined ? [] : [{ flight, date, price }];
  });
  if (pick === "cheapest") return single(open, ({ price }) => price);
  const sign = pick === "earliest" ? 1 : -1;
  return single(open, ({ flight }) => sign * minutesOf(flight.departure));
}

/** Returns the cheapest pair of flights with one stop, or `undefined` if there is no such pair or several tie. */
export function cheapestPair(
  { routes }: AirlineWorld,
  wanted: WantedFlight,
): readonly Leg[] | undefined {
  const { from, to, date } = wanted;
  const legsOn = (route: string) =>
    (routes.get(route) ?? []).flatMap((flight): Leg[] => {
      const price = fareOf(flight, wanted);
      return price === undefined ? [] : [{ flight, date, price }];
    });
  const stops = new Set(
    [...routes.keys()].flatMap((route) => {
      const [start, stop = ""] = route.split("-");
      return start === from && stop !== to ? [stop] : [];
    }),
  );
  const pairs = [...stops].flatMap((stop) =>
    legsOn(`${from}-${stop}`).flatMap((first) =>
      legsOn(`${stop}-${to}`)
        .filter(({ flight }) => first.flight.arrival <= flight.departure)
        .map((second) => [first, second])
    )
  );
  return single(pairs, (legs) => legs.reduce((all, one) => all + one.price, 0));
}

/**
 * Draws a flight on the route that cannot be booked on that date or has too few seats. Returns `undefined` if there is
 * none.
 */
export function fullFlight(
  { rng, routes }: AirlineWorld,
  wanted: WantedFlight,
): Flight | undefined {
  const full = (routes.get(`${wanted.from}-${wanted.to}`) ?? [])
    .filter((flight) => fareOf(flight, wanted) === undefined);
  return full.length === 0 ? undefined : rng.pick(full);
}

/** Returns the price of a seat, in dollars, or `undefined` if the flight has too few seats or cannot be booked. */
export function fareOf(
  flight: Flight,
  { date, cabin, seats }: Seats & { readonly date: string },
): number | undefined {
  const day = flight.days.get(date);
  return (day?.seats?.[cabin] ?? 0) >= seats ? day?.prices?.[cabin] : undefined;
}

function single<T>(list: readonly T[], rank: (one: T) => number) {
  const least = Math.min(...list.map(rank));
  const [first, ...others] = list.filter((one) => rank(one) === least);
  return others.length > 0 ? undefined : first;
}

function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(":").map(Number);
  return 60 * hours + minutes;
}
