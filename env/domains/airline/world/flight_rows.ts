/** Draws the flights of the generated airline world, in τ-bench's format: every route on every day of May 2024. */

import { fromPlain, type JsonObject } from "../../../python/python_value.ts";
import type { Rng } from "../../../random.ts";
import { AIRPORTS } from "../tools/list_all_airports.ts";
import type { AirlineOptions } from "./options.ts";

/** A flight with its entries, keyed by date. */
export interface Flight {
  readonly number: string;
  readonly from: string;
  readonly to: string;
  readonly departure: string;
  readonly arrival: string;
  readonly days: ReadonlyMap<string, Day>;
}

/** A flight's entry for one date, with seats and prices by cabin if the flight can be booked on that date. */
export interface Day {
  readonly status: string;
  readonly seats?: Readonly<Record<string, number>>;
  readonly prices?: Readonly<Record<string, number>>;
  readonly row: Readonly<Record<string, unknown>>;
}

/** The lowest and highest price of a seat in dollars, by cabin. */
export const PRICES: Readonly<Record<string, readonly [number, number]>> = {
  basic_economy: [51, 100],
  economy: [101, 200],
  business: [201, 500],
};

const TODAY = 15;
const LAST_DAY = 31;
const NOW_MINUTES = 15 * 60;

/** Draws all flights between the world's airports, keyed by route: `SFO-JFK`. */
export function drawFlights(
  rng: Rng,
  options: AirlineOptions,
): Map<string, Flight[]> {
  const codes = rng.shuffle([...AIRPORTS.keys()]).slice(0, options.airports);
  const routes = new Map<string, Flight[]>();
  let serial = 100;
  for (const from of codes) {
    for (const to of codes) {
      if (from === to) continue;
      const hours = rng.shuffle(Array.from({ length: 16 }, (_, i) => 5 + i));
      routes.set(
        `${from}-${to}`,
        hours.slice(0, options.flightsPerRoute).map((hour) =>
          drawFlight(rng, { number: `HAT${++serial}`, from, to, hour })
        ),
      );
    }
  }
  return routes;
}

function drawFlight(
  rng: Rng,
  { number, from, to, hour }: {
    number: string;
    from: string;
    to: string;
    hour: number;
  },
): Flight {
  const start = 60 * hour + 5 * rng.int(12);
  const end = Math.min(start + 60 + 5 * rng.int(30), 23 * 60 + 55);
  const days = new Map<string, Day>();
  for (let day = 1; day <= LAST_DAY; day++) {
    const date = `2024-05-${String(day).padStart(2, "0")}`;
    days.set(date, drawDay(rng, { day, date, start, end }));
  }
  const [departure, arrival] = [clock(start), clock(end)];
  return { number, from, to, departure, arrival, days };
}

function drawDay(
  rng: Rng,
  { day, date, start, end }: {
    day: number;
    date: string;
    start: number;
    end: number;
  },
): Day {
  if (rng.int(20) === 0) {
    return { status: "cancelled", row: { status: "cancelled" } };
  }
  const late = rng.int(4) === 0 ? 20 + rng.int(60) : -rng.int(10);
  const at = (minutes: number) => `${date}T${clock(minutes + late)}`;
  const before = day < TODAY;
  if (before || day === TODAY && end + late <= NOW_MINUTES) {
    return timed("landed", {
      actual_departure_time_est: at(start),
      actual_arrival_time_est: at(end),
    });
  }
  if (day === TODAY && start + late <= NOW_MINUTES) {
    return timed("flying", {
      actual_departure_time_est: at(start),
      estimated_arrival_time_est: at(end),
    });
  }
  if (day === TODAY) {
    return timed(late > 0 ? "delayed" : "on time", {
      estimated_departure_time_est: at(start),
      estimated_arrival_time_est: at(end),
    });
  }
  const seats = byCabin(() => rng.int(21));
  const prices = byCabin((cabin) => drawPrice(rng, cabin));
  const status = "available";
  return {
    status,
    seats,
    prices,
    row: { status, available_seats: seats, prices },
  };
}

/** Draws the price of a seat in a cabin, in dollars. */
export function drawPrice(rng: Rng, cabin: string): number {
  const [low, high] = PRICES[cabin] ?? [51, 100];
  return low + rng.int(high - low + 1);
}

function timed(status: string, times: Readonly<Record<string, string>>): Day {
  return { status, row: { status, ...times } };
}

function byCabin(draw: (cabin: string) => number): Record<string, number> {
  return Object.fromEntries(
    Object.keys(PRICES).map((cabin) => [cabin, draw(cabin)]),
  );
}

function clock(minutes: number): string {
  const within = Math.min(minutes, 23 * 60 + 59);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(within / 60))}:${two(within % 60)}:00`;
}

/** Converts a flight to a row of the `flights` table. */
export function flightRow(flight: Flight): JsonObject {
  return fromPlain({
    flight_number: flight.number,
    origin: flight.from,
    destination: flight.to,
    scheduled_departure_time_est: flight.departure,
    scheduled_arrival_time_est: flight.arrival,
    dates: Object.fromEntries(
      [...flight.days].map(([date, { row }]) => [date, row]),
    ),
  }) as JsonObject;
}
