/** The settings of the generated airline world. One schema defines their types, defaults and help texts. */

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

/** The relative frequency of each kind of request; 0 excludes a kind. */
const intentWeights = z.strictObject({
  book: often.describe("Weight of requests to book a trip"),
  change_flights: often.describe(
    "Weight of requests to move a flight to another day",
  ),
  change_cabin: often.describe(
    "Weight of requests to change the cabin on the same flights",
  ),
  change_passengers: often.describe(
    "Weight of requests to replace or add a passenger",
  ),
  add_bags: often.describe("Weight of requests to add bags"),
  cancel: often.describe("Weight of requests to cancel a reservation"),
  certificate: often.describe(
    "Weight of requests for compensation for a cancelled or delayed flight",
  ),
  question: often.describe("Weight of questions"),
});

/** The schema of the generated airline world's settings. Every field has a default. */
export const airlineOptionsSchema = z.strictObject({
  ...taskKnobs,
  intents: intentWeights.prefault({}).describe(
    "Relative weights of the kinds of request",
  ),
  refusedShare: share.default(0.1).describe(
    "Share of requests that the policy forbids; questions are always allowed",
  ),
  otherAccountShare: share.default(0.25).describe(
    "Share of refused requests about another user's reservation or account",
  ),
  twoIntentShare: share.default(0.1).describe(
    "Share of tasks with a second request after the first",
  ),
  reservationStatedShare: share.default(0.7).describe(
    "Share of requests in which the user knows the reservation's id; in the others, the user names its route",
  ),
  detailsStatedShare: share.default(0.7).describe(
    "Share of requests in which the user gives all details; in the others, the agent has to ask for them",
  ),
  cityNamesShare: share.default(0.3).describe(
    "Share of bookings that name cities instead of airport codes",
  ),
  oneStopShare: share.default(0.05).describe(
    "Share of bookings for flights with one stop",
  ),
  delayShare: share.default(0.3).describe(
    "Share of compensation requests that are about a delayed flight and follow a change or cancellation of the reservation; the others are about a cancelled flight",
  ),
  roundTripShare: share.default(0.3).describe(
    "Share of bookings and reservations that are round trips",
  ),
  passengersMax: z.number().int().min(1).max(4).default(2).describe(
    "Maximum number of passengers per reservation",
  ),
  extraReservationsMin: count.default(1).describe(
    "Minimum number of additional reservations per user that no request refers to",
  ),
  extraReservationsMax: count.default(2).describe(
    "Maximum number of additional reservations per user that no request refers to",
  ),
  airports: z.number().int().min(4).max(20).default(10).describe(
    "Number of airports",
  ),
  flightsPerRoute: z.number().int().min(2).max(6).default(3).describe(
    "Number of daily flights from each airport to every other one",
  ),
  ...userKnobs({
    changeOfMind:
      "Share of bookings and changes in which the user changes their mind when the agent reads the details back",
    fallback:
      "Share of refused requests after which the user asks for an alternative, if there is one",
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
        `A user may have ${held} reservations, each on a different route, but ${airports} airports have only ${routes} routes; raise airports, or lower tasksPerUser or extraReservationsMin`,
    });
  }
});

/** The settings of the generated airline world as a caller may pass them. */
export type AirlineOptionsInput = z.input<typeof airlineOptionsSchema>;

/** The settings of the generated airline world with defaults filled in. */
export type AirlineOptions = z.output<typeof airlineOptionsSchema>;
