/** The types of an airline user's requests. They are expressed in the user's terms rather than as tool calls. */

import type { Task } from "../../../types.ts";
import type { Goal, Identity, Request } from "../../shared/goal/goal.ts";

/** The identity and requests of an airline user. */
export interface AirlineGoal extends Goal<AirlineRequest> {
  readonly identity: Identity;
}

/** A task in the airline domain. */
export type AirlineTask = Task<AirlineGoal>;

export type Cabin = "basic_economy" | "economy" | "business";

/** A kind of request that an airline user makes. */
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

/** The details of a request. The request's intent determines which fields are set. */
export interface Trip {
  /** The id of the reservation, if the user knows it. */
  readonly reservationId?: string;
  /**
   * The origin, as an airport code or a city. In a request about an existing reservation, it is set only if the user
   * does not know the reservation's id.
   */
  readonly from?: string;
  /** The destination; set in the same cases as `from`. */
  readonly to?: string;
  /** The date of the outbound flight: `2024-05-20`. A change without this date keeps the outbound flight. */
  readonly date?: string;
  /** The date of the return flight. */
  readonly returnDate?: string;
  readonly pick?: Pick;
  /**
   * The number of the outbound or changed flight; set if the user asks for a specific flight. If set, `pick` applies
   * only to a booking's return flight.
   */
  readonly flight?: string;
  /** The number of stops of a booking in each direction; omitted for direct flights. */
  readonly stops?: 1;
  readonly cabin?: Cabin;
  /** The passengers of a booking, in order; for a change, the new passengers. */
  readonly passengers?: readonly Traveller[];
  /** The full name of the passenger to replace; omitted if a passenger is added. */
  readonly replaced?: string;
  /** For a booking, the number of bags. For a change, the number of bags to add; a negative number removes bags. */
  readonly bags?: number;
  readonly insurance?: "yes" | "no";
  /**
   * The kinds of payment methods, in the order of use: `certificate`, `gift card`, `credit card`. For a booking, each
   * method pays up to its balance, and the next method pays the rest. A change uses only the first kind.
   */
  readonly pay?: readonly string[];
  /** Whether the user wants compensation for a delayed flight rather than for a cancelled flight. */
  readonly delayed?: true;
  /**
   * The origin of a booking's return flight if it differs from the outbound destination. Policy refuses such a booking.
   */
  readonly backFrom?: string;
  /** A new destination for the changed flight. Policy refuses such a change. */
  readonly newTo?: string;
  /** Whether the user refuses to pay for bags that are not free. Policy refuses such a request. */
  readonly unpaid?: true;
  /** The id of another user, whose account the request concerns. Policy refuses such a request. */
  readonly account?: string;
}

/** Returns a traveler's full name. */
export function nameOf({ firstName, lastName }: Traveller): string {
  return `${firstName} ${lastName}`;
}
