/** What an airline's user wants, in their own words. */

import type { Task } from "../../../types.ts";
import type { Goal, Identity, Request } from "../../shared/goal/goal.ts";

/** Who an airline's user is, and their requests. */
export interface AirlineGoal extends Goal<AirlineRequest> {
  readonly identity: Identity;
}

/** A task of an airline. */
export type AirlineTask = Task<AirlineGoal>;

/** Where one sits. */
export type Cabin = "basic_economy" | "economy" | "business";

/** The kinds of request. */
export type AirlineIntent =
  | "book"
  | "cancel"
  | "change_flights"
  | "change_cabin"
  | "change_passengers"
  | "add_bags"
  | "certificate"
  | "question";

/** One request of a user. */
export interface AirlineRequest extends Request {
  readonly intent: AirlineIntent;
  readonly trip?: Trip;
  readonly reason?: string;
  readonly before?: { readonly trip: Trip };
}

/** Somebody who flies. */
export interface Traveller {
  readonly firstName: string;
  readonly lastName: string;
  /** `1980-01-31` */
  readonly dob: string;
}

/** Which of several direct flights is wanted; of those alone that have seats for everybody. */
export type Pick = "cheapest" | "earliest" | "latest";

/** The details of a request. Which there are depends on its intent. */
export interface Trip {
  /** The reservation, where the user knows its id. */
  readonly reservationId?: string;
  /** An airport or its city: of a booking, of what is asked, or of the reservation whose id is not known. */
  readonly from?: string;
  readonly to?: string;
  /** `2024-05-20`: of the flight out. A change that leaves it out keeps that flight. */
  readonly date?: string;
  /** Of the flight back. */
  readonly returnDate?: string;
  readonly pick?: Pick;
  /** The number of the flight out (or of the one that changes), where a certain one is wanted; it goes before `pick`. */
  readonly flight?: string;
  /** Of a booking: one stop each way, instead of direct flights. */
  readonly stops?: 1;
  readonly cabin?: Cabin;
  /** Who flies, in this order; for a change, who is to fly. */
  readonly passengers?: readonly Traveller[];
  /** The full name of the passenger who does not fly; left out where somebody is to fly too. */
  readonly replaced?: string;
  /** Of a booking all bags; of a change how many more, negative for fewer. */
  readonly bags?: number;
  readonly insurance?: "yes" | "no";
  /** What pays, in this order, each as far as it goes: `certificate`, `gift card`, `credit card`. */
  readonly pay?: readonly string[];
  /** Whether a flight was delayed, rather than cancelled: of a compensation. */
  readonly delayed?: true;
  /** From where a booking is to lead back, where that is not where it led to. Policy refuses it. */
  readonly backFrom?: string;
  /** Where the flight that changes is to lead instead. Policy refuses it. */
  readonly newTo?: string;
  /** Whether bags that are not free are to be free all the same. Policy refuses it. */
  readonly unpaid?: true;
  /** On whose account it is to be, a user id, where that is not the user's. Policy refuses it. */
  readonly account?: string;
}

/** A traveller's full name. */
export function nameOf({ firstName, lastName }: Traveller): string {
  return `${firstName} ${lastName}`;
}
