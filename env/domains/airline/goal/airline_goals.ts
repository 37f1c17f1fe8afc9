/** The `goals` part of the airline domain, which relates users' requests to tool calls. */

import type { GoalsPart } from "../../../domain.ts";
import { tripDetails } from "../user/trip_words.ts";
import { requiredReads } from "./required_reads.ts";
import { effectError } from "./effects.ts";
import { fulfillingCalls } from "./fulfilling_calls.ts";
import { wrongWrites } from "./wrong_writes.ts";
import type { AirlineGoal, AirlineRequest } from "./request.ts";

export const airlineGoals = {
  tools: {
    book: "book_reservation",
    cancel: "cancel_reservation",
    change_flights: "update_reservation_flights",
    change_cabin: "update_reservation_flights",
    change_passengers: "update_reservation_passengers",
    add_bags: "update_reservation_baggages",
    certificate: "send_certificate",
  },
  fulfillingCalls,
  effectError,
  requiredReads,
  wrongWrites,
  details: (request) => [
    ...request.reason === undefined ? [] : [request.reason],
    ...request.trip === undefined
      ? []
      : [...tripDetails(request)].filter(([kind]) => kind !== "reservation")
        .map(([, words]) => words),
  ],
} satisfies GoalsPart<AirlineRequest, AirlineGoal>;
