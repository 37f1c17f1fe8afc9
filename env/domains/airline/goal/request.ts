/** Requests of an airline user, in the user's own terms. */

import type { Task } from "../../../types.ts";
import type { Goal, Identity, Request } from "../../shared/goal/goal.ts";

/** The identity and requests of an airline user. */
export interface AirlineGoal extends Goal<AirlineRequest> {
  readonly identity: Identity;
}

/** A task in the airline domain. */
export type AirlineTask = Task<AirlineGoal>;

export type Cabin = "basic_economy" | "economy" | "business";

/** The kinds of request that an airline user makes. */
export type AirlineIntent =
  | "book"
  | "cancel"
  | "change_flights"
  | "change_cabin"
  | "change_passengers"
  | "add_bags"
  | "certificate"
  | "question";

/** A request of an airline user. */
export interface AirlineRequest extends Request {
  readonly intent: AirlineIntent;
  readonly trip?: Trip;
  readonly reason?: string;
  readonly before?: { readonly trip: Trip };
}

/** A passenger, as the user describes them. */
export interface Traveller {
  readonly firstName: string;
  readonly lastName: string;
  /** The date of birth: `1980-01-31`. */
  readonly dob: string;
}

/** The criterion by which the user chooses among the direct flights with enough seats for all passengers. */
export type Pick = "cheapest" | "earliest" | "latest";

/** The details of a request; its intent determines which are set. */
export interface Trip {
  /** The id of the reservation, if the user knows it. */
  readonly reservationId?: string;
  /** The origin, as an airport or its city. Set for a change if the user does not know the reservation's id. */
  readonly from?: string;
  readonly to?: string;
  /** The date of the outbound flight: `2024-05-20`. If a change omits it, that flight stays the same. */
  readonly date?: string;
  /** The date of the return flight. */
  readonly returnDate?: string;
  readonly pick?: Pick;
  /** The number of the outbound or changed flight, if the user asks for a specific one; it overrides `pick`. */
  readonly flight?: string;
  /** Whether a booking is for flights with one stop each way instead of direct flights. */
  readonly stops?: 1;
  readonly cabin?: Cabin;
  /** The passengers of a booking, in order; for a change, the new passengers. */
  readonly passengers?: readonly Traveller[];
  /** The full name of the passenger to replace; omitted if a passenger is added. */
  readonly replaced?: string;
  /** The number of bags for a booking; for a change, the number to add, or to remove if negative. */
  readonly bags?: number;
  readonly insurance?: "yes" | "no";
  /** The payment methods in order, each used up to its balance: `certificate`, `gift card`, `credit card`. */
  readonly pay?: readonly string[];
  /** Whether compensation is wanted for a delayed flight rather than a cancelled one. */
  readonly delayed?: true;
  /** The origin of a booking's return flight if it differs from the destination. Policy refuses it. */
  readonly backFrom?: string;
  /** A new destination for the flight that changes. Policy refuses it. */
  readonly newTo?: string;
  /** Whether the user refuses to pay for bags that are not free. Policy refuses it. */
  readonly unpaid?: true;
  /** The id of another user whose account the request is for. Policy refuses it. */
  readonly account?: string;
}

/** Returns a traveler's full name. */
export function nameOf({ firstName, lastName }: Traveller): string {
  return `${firstName} ${lastName}`;
}
