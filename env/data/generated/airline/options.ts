/**
 * The knobs of the generated airline world: one schema is type, defaults and help text.
 *
 * @module
 */

import { z } from "zod";

const share = z.number().min(0).max(1);
const count = z.number().int().min(0);
const positive = z.number().int().min(1);
const weight = z.number().min(0).default(1);

/** How often each kind of request is drawn, relative to the others; 0 leaves it out. */
const intentWeights = z.strictObject({
  book: weight.describe("Book a trip"),
  change_flights: weight.describe("Move a flight to another day"),
  change_cabin: weight.describe("Sit in another cabin on the same flights"),
  change_passengers: weight.describe("Let somebody else fly"),
  add_bags: weight.describe("Take more bags along"),
  cancel: weight.describe("Cancel a reservation"),
  certificate: weight.describe("Be compensated for a cancelled flight"),
  question: weight.describe("Ask for something to be told"),
});

/** Settings of the generated airline world. Every field has a default. */
export const airlineOptionsSchema = z.strictObject({
  trainTasks: positive.default(400).describe("Tasks in the train split"),
  devTasks: positive.default(50).describe("Tasks in the dev split"),
  testTasks: positive.default(100).describe("Tasks in the test split"),
  tasksPerUser: positive.default(1).describe("Tasks that share one customer"),
  intents: intentWeights.prefault({}).describe(
    "Relative weights of the kinds of request",
  ),
  refusedShare: share.default(0.1).describe(
    "Share of the requests on a reservation that policy refuses",
  ),
  twoIntentShare: share.default(0.1).describe(
    "Share of tasks with a second request after the first",
  ),
  reservationStatedShare: share.default(0.7).describe(
    "Share of requests whose customer knows the reservation's id; the others name its route",
  ),
  detailsStatedShare: share.default(0.7).describe(
    "Share of requests that come with all their details",
  ),
  cityNamesShare: share.default(0.3).describe(
    "Share of bookings that name cities instead of airport codes",
  ),
  roundTripShare: share.default(0.3).describe(
    "Share of bookings and reservations that lead back too",
  ),
  passengersMax: z.number().int().min(1).max(4).default(2).describe(
    "Most passengers of a reservation",
  ),
  extraReservationsMin: count.default(1).describe(
    "Fewest reservations that no request is about",
  ),
  extraReservationsMax: count.default(2).describe(
    "Most reservations that no request is about",
  ),
  airports: z.number().int().min(4).max(20).default(10).describe(
    "Airports that are flown to",
  ),
  flightsPerRoute: z.number().int().min(2).max(6).default(3).describe(
    "Flights a day from each airport to each other one",
  ),
  wording: z.number().int().min(1).max(6).default(3).describe(
    "Phrasings of each sentence that customer and expert choose from",
  ),
}).refine(
  ({ extraReservationsMin: min, extraReservationsMax: max }) => min <= max,
  {
    path: ["extraReservationsMax"],
    error: "extraReservationsMax is less than extraReservationsMin; raise it",
  },
).refine(({ intents }) => Object.values(intents).some((one) => one > 0), {
  path: ["intents"],
  error: "Every weight is 0; give at least one intent a positive weight",
});

/** What may be given. */
export type AirlineOptionsInput = z.input<typeof airlineOptionsSchema>;

/** What the generator works with, defaults filled in. */
export type AirlineOptions = z.output<typeof airlineOptionsSchema>;
