/**
 * Schemas of the airline's rows. A dataset is validated once when it is loaded, so the tools can rely on valid rows.
 * Unknown fields are kept unchanged.
 */

import { z } from "zod";

const byCabin = z.record(z.string(), z.number());

/**
 * The schema of a flight's entry for one date. Only dates on which the flight can still be booked have seats and
 * prices.
 */
const flightDay = z.union([
  z.looseObject({
    status: z.literal("available"),
    available_seats: byCabin,
    prices: byCabin,
  }),
  z.looseObject({
    status: z.enum([
      "on time",
      "delayed",
      "flying",
      "landed",
      "cancelled",
    ]),
  }),
]);

const flight = z.looseObject({
  flight_number: z.string(),
  origin: z.string(),
  destination: z.string(),
  scheduled_departure_time_est: z.string(),
  scheduled_arrival_time_est: z.string(),
  dates: z.record(z.string(), flightDay),
});

const person = z.looseObject({
  first_name: z.string(),
  last_name: z.string(),
  dob: z.string(),
});

const reservation = z.looseObject({
  reservation_id: z.string(),
  user_id: z.string(),
  origin: z.string(),
  destination: z.string(),
  cabin: z.string(),
  flights: z.array(z.looseObject({
    flight_number: z.string(),
    date: z.string(),
    price: z.number(),
    origin: z.string(),
    destination: z.string(),
  })),
  passengers: z.array(person),
  payment_history: z.array(
    z.looseObject({ payment_id: z.string(), amount: z.number() }),
  ),
  total_baggages: z.number(),
  nonfree_baggages: z.number(),
});

/** The schema of a payment method. Gift cards and certificates have a balance. */
const paymentMethod = z.discriminatedUnion("source", [
  z.looseObject({
    source: z.enum(["gift_card", "certificate"]),
    id: z.string(),
    amount: z.number(),
  }),
  z.looseObject({ source: z.literal("credit_card"), id: z.string() }),
]);

const user = z.looseObject({
  name: z.looseObject({ first_name: z.string(), last_name: z.string() }),
  dob: z.string(),
  email: z.string(),
  payment_methods: z.record(z.string(), paymentMethod),
  reservations: z.array(z.string()),
});

/** Row schemas by table, in the order in which τ-bench loads the tables. */
export const rowSchemas: ReadonlyMap<string, z.ZodType> = new Map<
  string,
  z.ZodType
>([
  ["flights", flight],
  ["reservations", reservation],
  ["users", user],
]);
