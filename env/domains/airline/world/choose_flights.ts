/**
 * Which flights a user's words mean: the cheapest, earliest or latest direct one of a day, or the cheapest pair with
 * a stop in between. Where several are meant nothing is drawn.
 */

import type { Cabin, Pick } from "../goal/request.ts";
import type { Flight } from "./flight_rows.ts";
import type { AirlineWorld, Leg } from "./rows.ts";

/** What is wanted of a flight. */
export interface Seats {
  readonly cabin: Cabin;
  readonly seats: number;
}

/** A day on a route, and what is wanted there. */
export interface Wanted extends Seats {
  readonly from: string;
  readonly to: string;
  readonly date: string;
}

/** The ways in which users choose a flight. */
export const PICKS: readonly Pick[] = ["cheapest", "earliest", "latest"];

/** A day after `after`; `undefined` where there is none. */
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

/** The direct flight that is meant; `undefined` where none or several are. */
export function directFlight(
  { routes }: AirlineWorld,
  wanted: Wanted & { readonly pick: Pick },
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

/** The cheapest pair with a stop, first leg first; `undefined` where none or several are. */
export function cheapestPair(
  { routes }: AirlineWorld,
  wanted: Wanted,
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

/** A flight of a day that cannot be booked for everybody. */
export function fullFlight(
  { rng, routes }: AirlineWorld,
  wanted: Wanted,
): Flight | undefined {
  const full = (routes.get(`${wanted.from}-${wanted.to}`) ?? [])
    .filter((flight) => fareOf(flight, wanted) === undefined);
  return full.length === 0 ? undefined : rng.pick(full);
}

/** What a seat costs; `undefined` where there are too few, or it does not fly. */
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
