/** The knobs of the generated airline world: one schema is type, defaults and help text. */

import { z } from "zod";
import {
  checkRanges,
  checkWeights,
  count,
  share,
  taskKnobs,
  userKnobs,
  weight,
} from "../../../generated/knobs.ts";

const often = weight.default(1);

/** How often each kind of request is drawn, relative to the others; 0 leaves it out. */
const intentWeights = z.strictObject({
  book: often.describe("Book a trip"),
  change_flights: often.describe("Move a flight to another day"),
  change_cabin: often.describe("Sit in another cabin on the same flights"),
  change_passengers: often.describe("Let somebody else fly"),
  add_bags: often.describe("Take more bags along"),
  cancel: often.describe("Cancel a reservation"),
  certificate: often.describe(
    "Be compensated for a flight that was cancelled or late",
  ),
  question: often.describe("Ask for something to be told"),
});

/** Settings of the generated airline world. Every field has a default. */
export const airlineOptionsSchema = z.strictObject({
  ...taskKnobs,
  intents: intentWeights.prefault({}).describe(
    "Relative weights of the kinds of request",
  ),
  refusedShare: share.default(0.1).describe(
    "Share of requests that policy refuses (questions never are)",
  ),
  otherAccountShare: share.default(0.25).describe(
    "Share of the refused requests that are about somebody else's reservation or account",
  ),
  twoIntentShare: share.default(0.1).describe(
    "Share of tasks with a second request after the first",
  ),
  reservationStatedShare: share.default(0.7).describe(
    "Share of requests whose user knows the reservation's id; the others name its route",
  ),
  detailsStatedShare: share.default(0.7).describe(
    "Share of requests that come with all their details",
  ),
  cityNamesShare: share.default(0.3).describe(
    "Share of bookings that name cities instead of airport codes",
  ),
  oneStopShare: share.default(0.05).describe(
    "Share of bookings with a stop on the way",
  ),
  delayShare: share.default(0.3).describe(
    "Share of the compensations that are for a late flight, after a change or cancellation",
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
  ...userKnobs({
    changeOfMind:
      "Share of bookings and changes whose user wants something else once it is read back",
    fallback:
      "Share of the refused requests whose user then asks for what can be done, where something can",
  }),
}).superRefine((options, context) => {
  checkRanges({ options, context }, [
    ["extraReservationsMin", "extraReservationsMax"],
  ]);
  checkWeights({ options, context }, { intents: "intent", voices: "voice" });
  const { airports, tasksPerUser, twoIntentShare } = options;
  const routes = airports * (airports - 1) / 2;
  const held = tasksPerUser * (twoIntentShare > 0 ? 2 : 1) +
    options.extraReservationsMin;
  if (held > routes) {
    context.addIssue({
      code: "custom",
      path: ["airports"],
      message:
        `A user's reservations are on routes of their own, up to ${held}, but ${airports} airports have ${routes} between them; raise airports, or lower tasksPerUser or extraReservationsMin`,
    });
  }
});

/** What may be given. */
export type AirlineOptionsInput = z.input<typeof airlineOptionsSchema>;

/** What the generator works with, defaults filled in. */
export type AirlineOptions = z.output<typeof airlineOptionsSchema>;
