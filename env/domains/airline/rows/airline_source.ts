/**
 * Reads an existing airline database for drawing tasks: the eligible users, their reservations, and the flights by
 * route.
 */

import type { Database } from "../../../database.ts";
import { toPlain } from "../../../python/python_value.ts";
import type { Row } from "../../shared/goal/effects.ts";
import type { Traveller } from "../goal/request.ts";
import type { Day, Flight } from "../world/flight_rows.ts";
import type {
  AirlineWorld,
  Method,
  Passenger,
  Reservation,
} from "../world/rows.ts";

/** The users, reservations and flights from which tasks are drawn. */
export interface AirlineSource {
  readonly routes: AirlineWorld["routes"];
  /**
   * The users who have exactly one credit card. A user's other payment methods are omitted if several are of the same
   * kind.
   */
  readonly users: readonly Passenger[];
}

/** Reads a database, except for the users for whom `isHeldOut` returns `true`. */
export function readAirline(
  database: Database,
  isHeldOut: (userId: string) => boolean,
): AirlineSource {
  const flights = new Map(
    plainRows(database, "flights").map((row) => [
      row.flight_number,
      flightOf(row),
    ]),
  );
  const reservations = new Map(
    plainRows(database, "reservations").map((row) => [row.reservation_id, row]),
  );
  const users = [...database.ids("users")]
    .filter((id) => !isHeldOut(id))
    .map((id): Passenger => {
      const user: Row = toPlain(database.get("users", id) ?? null);
      const held = user.reservations.flatMap((one: string) =>
        reservations.get(one) ?? []
      );
      return passengerOf(id, { user, held, flights });
    })
    .filter(({ methods }) =>
      methods.some(({ source }) => source === "credit_card")
    );
  return {
    routes: Map.groupBy(flights.values(), ({ from, to }) => `${from}-${to}`),
    users,
  };
}

function plainRows(database: Database, table: string): Row[] {
  return Array.from(
    database.ids(table),
    (id) => toPlain(database.get(table, id) ?? null),
  );
}

function flightOf(row: Row): Flight {
  return {
    number: row.flight_number,
    from: row.origin,
    to: row.destination,
    departure: row.scheduled_departure_time_est,
    arrival: row.scheduled_arrival_time_est,
    days: new Map(
      Object.entries<Row>(row.dates).map(([date, day]): [string, Day] => [
        date,
        {
          status: day.status,
          ...day.available_seats && { seats: day.available_seats },
          ...day.prices && { prices: day.prices },
          row: day,
        },
      ]),
    ),
  };
}

function passengerOf(
  userId: string,
  { user, held, flights }: {
    user: Row;
    held: readonly Row[];
    flights: ReadonlyMap<string, Flight>;
  },
): Passenger {
  const all = Object.values<Row>(user.payment_methods).map((row): Method => ({
    id: row.id,
    source: row.source,
    amount: row.amount ?? 0,
    row,
  }));
  const methods = all.filter(({ source }) =>
    all.filter((other) => other.source === source).length === 1
  );
  const { first_name: firstName, last_name: lastName } = user.name;
  return {
    userId,
    identity: {
      firstName,
      lastName,
      zip: user.address.zip,
      email: user.email,
      prefers: "email",
      userId,
    },
    self: { firstName, lastName, dob: user.dob },
    membership: user.membership,
    methods,
    saved: user.saved_passengers.map(travellerIn),
    reservations: held.map((row) => reservationOf(row, { all, flights })),
    row: user,
  };
}

function reservationOf(
  row: Row,
  { all, flights }: {
    all: readonly Method[];
    flights: ReadonlyMap<string, Flight>;
  },
): Reservation {
  const [paid] = row.payment_history;
  return {
    id: row.reservation_id,
    userId: row.user_id,
    from: row.origin,
    to: row.destination,
    cabin: row.cabin,
    legs: row.flights.flatMap((
      { flight_number, date, price }: Row,
    ) => {
      const flight = flights.get(flight_number);
      return flight === undefined ? [] : [{ flight, date, price }];
    }),
    passengers: row.passengers.map(travellerIn),
    paidBy: all.find(({ id }) => id === paid?.payment_id) ?? all[0]!,
    total: row.payment_history.reduce(
      (sum: number, { amount }: Row) => sum + amount,
      0,
    ),
    bags: row.total_baggages,
    nonfree: row.nonfree_baggages,
    insurance: row.insurance,
    createdAt: row.created_at,
    isCancelled: row.status === "cancelled",
  };
}

function travellerIn({ first_name, last_name, dob }: Row): Traveller {
  return { firstName: first_name, lastName: last_name, dob };
}
