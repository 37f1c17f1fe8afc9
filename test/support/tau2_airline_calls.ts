/** Draws correct and almost correct calls of τ³-bench's airline tools, based on the state of the world. */

import type { Database } from "../../env/database.ts";
import type { JsonObject, JsonValue } from "../../env/python/python_value.ts";
import type { Rng } from "../../env/random.ts";
import { listAt, objectAt, objectsAt, textAt } from "../../env/row.ts";
import { maybeOdd, oddValue } from "./odd_calls.ts";
import type { DrawCall, PlayedCall } from "./tau2_play.ts";

const CABINS = ["business", "economy", "basic_economy"];

/** Expressions of all kinds for the tool `calculate`. */
export const EXPRESSIONS = [
  "2 + 2",
  "1 / 3",
  "2 ** 0.5",
  "(1 + 2) * 3.005",
  "10 // 3",
  "1 / 0",
  "2 +",
  "05 + 1",
  "1 2",
  "abs(1)",
  "-1.5e3",
  "",
  "()",
  "9 ** 9 ** 2",
  "0.1 + 0.2",
  "1.005 * 1",
];

function object(fields: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(fields));
}

/** Returns a function that draws calls about one user's trips. */
export function airlineCalls(rng: Rng, database: Database): DrawCall {
  const owner = rng.pick([...database.ids("users")]);
  const flights = [...database.ids("flights")];
  return (agent): PlayedCall => {
    const user = agent.get("users", owner)!;
    const trips = listAt(user, "reservations") as string[];
    const trip = trips.length > 0 && rng.next() < 0.9
      ? rng.pick(trips)
      : rng.pick([...agent.ids("reservations")]);
    const reservation = agent.get("reservations", trip)!;
    const methods = [...objectAt(user, "payment_methods").keys()];
    const method = methods.length > 0 ? rng.pick(methods) : "none";
    const leg = () => drawLeg(rng, agent, rng.pick(flights));
    const cabin = rng.pick(CABINS);
    const draws: Record<string, () => JsonObject> = {
      book_reservation: () => booking(rng, agent, { owner, user, cabin }),
      calculate: () => object({ expression: rng.pick(EXPRESSIONS) }),
      cancel_reservation: () => object({ reservation_id: trip }),
      get_reservation_details: () => object({ reservation_id: trip }),
      get_user_details: () => object({ user_id: owner }),
      list_all_airports: () => object({}),
      search_direct_flight: () => route(rng, agent, flights),
      search_onestop_flight: () => route(rng, agent, flights),
      send_certificate: () =>
        object({ user_id: owner, amount: rng.pick([50, 100, 150]) }),
      transfer_to_human_agents: () => object({ summary: "help" }),
      update_reservation_baggages: () =>
        object({
          reservation_id: trip,
          total_baggages: rng.int(5),
          nonfree_baggages: rng.int(3),
          payment_id: method,
        }),
      update_reservation_flights: () =>
        object({
          reservation_id: trip,
          cabin: rng.next() < 0.5 ? reservation.get("cabin")! : cabin,
          flights: newLegs(rng, reservation, leg),
          payment_id: method,
        }),
      update_reservation_passengers: () =>
        object({
          reservation_id: trip,
          passengers: passengers(rng, lengthOf(reservation.get("passengers")!)),
        }),
      get_flight_status: leg,
      nothing: () => object({}),
    };
    const name = rng.pick([
      ...Object.keys(draws),
      "book_reservation",
      "book_reservation",
      "update_reservation_flights",
      "update_reservation_baggages",
    ]);
    return {
      requestor: rng.next() < 0.02 ? "user" : "agent",
      name,
      arguments: maybeOdd(rng, draws[name]!(), 0.45),
    };
  };
}

function lengthOf(value: JsonValue): number {
  return Array.isArray(value) || typeof value === "string" ? value.length : 1;
}

/** Returns a leg of a flight on a drawn date, on which the flight may not be available. */
function drawLeg(rng: Rng, database: Database, number: string): JsonObject {
  const days = [...objectAt(database.get("flights", number)!, "dates")];
  const bookable = days.filter(([, day]) =>
    textAt(day as JsonObject, "status") === "available"
  );
  const [date] = rng.pick(
    bookable.length > 0 && rng.next() < 0.9 ? bookable : days,
  );
  return object({ flight_number: number, date });
}

function route(
  rng: Rng,
  database: Database,
  flights: readonly string[],
): JsonObject {
  const flight = database.get("flights", rng.pick(flights))!;
  const other = database.get("flights", rng.pick(flights))!;
  const isDirect = rng.next() < 0.5;
  return object({
    origin: rng.next() < 0.05 ? null : flight.get("origin")!,
    destination: rng.next() < 0.05
      ? null
      : (isDirect ? flight : other).get("destination")!,
    date: `2024-05-${10 + rng.int(22)}`,
  });
}

function newLegs(
  rng: Rng,
  reservation: JsonObject,
  leg: () => JsonObject,
): JsonValue[] {
  const kept = objectsAt(reservation, "flights").map((flight) =>
    object({
      flight_number: flight.get("flight_number")!,
      date: flight.get("date")!,
    })
  );
  const draw = rng.next();
  if (draw < 0.4) return kept;
  return draw < 0.7 ? [...kept.slice(1), leg()] : [leg()];
}

function passengers(rng: Rng, count: number): JsonValue[] {
  return Array.from({ length: count }, () =>
    object({
      first_name: rng.pick(["Ann", "Bo", "José"]),
      last_name: "Lee",
      dob: "1990-01-01",
    }));
}

function booking(
  rng: Rng,
  database: Database,
  { owner, user, cabin }: {
    owner: string;
    user: JsonObject;
    cabin: string;
  },
): JsonObject {
  const flights = [...database.ids("flights")];
  const legs = Array.from(
    { length: rng.int(4) === 0 ? 2 : 1 },
    () => drawLeg(rng, database, rng.pick(flights)),
  );
  if (rng.next() < 0.1) legs.push(legs[0]!);
  const people = passengers(rng, rng.int(3) + (rng.next() < 0.05 ? 0 : 1));
  const nonfree = rng.int(3);
  const insurance = rng.pick(["yes", "no"]);
  const total = legs.reduce(
    (sum, leg) => sum + people.length * priceOf(database, leg, cabin),
    (insurance === "yes" ? 30 * people.length : 0) + 50 * nonfree,
  );
  return object({
    user_id: owner,
    origin: "SFO",
    destination: "JFK",
    flight_type: rng.pick(["one_way", "round_trip"]),
    cabin,
    flights: legs,
    passengers: people,
    payment_methods: payments(rng, user, total),
    total_baggages: nonfree + rng.int(2),
    nonfree_baggages: nonfree,
    insurance,
  });
}

function priceOf(database: Database, leg: JsonObject, cabin: string): number {
  const flight = database.get("flights", textAt(leg, "flight_number"))!;
  const day = objectAt(objectAt(flight, "dates"), textAt(leg, "date"));
  const prices = day.get("prices");
  return prices instanceof Map ? Number(prices.get(cabin)) : 0;
}

/** Draws payments, which usually add up to the total. A payment method may occur twice. */
function payments(rng: Rng, user: JsonObject, total: number): JsonValue[] {
  const methods = [...objectAt(user, "payment_methods").keys()];
  if (methods.length === 0) return [];
  const first = rng.next() < 0.4 ? rng.int(total + 1) : total;
  const parts = first === total ? [total] : [first, total - first];
  if (rng.next() < 0.1) parts.push(5, -5);
  return parts.map((amount) =>
    object({
      payment_id: rng.pick(methods),
      amount: rng.next() < 0.05 ? oddValue(rng) : amount,
    })
  );
}
