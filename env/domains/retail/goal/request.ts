/** What a store's user wants. Items are named in words, never by id: the agent has to look ids up. */

import type { Task } from "../../../types.ts";
import type { Goal, Identity, Request } from "../../shared/goal/goal.ts";

/** Who a store's user is, and their requests. */
export interface RetailGoal extends Goal<RetailRequest> {
  readonly identity: Identity;
}

/** A task of a store. */
export type RetailTask = Task<RetailGoal>;

/** The kinds of request. */
export type Intent =
  | "cancel"
  | "return"
  | "exchange"
  | "modify_items"
  | "modify_address"
  | "modify_payment"
  | "user_address"
  | "question";

/** One request of a user. */
export interface RetailRequest extends Request {
  readonly intent: Intent;
  /** Left out where the user does not know it. */
  readonly orderId?: string;
  /** How a user describes the order whose id they do not know: `the one with the oak stool`. */
  readonly orderWords?: string;
  /** The user's words for each item, unique within the order: `blue desk lamp`. */
  readonly items?: readonly string[];
  /** The user's words for what each item should become, same order as `items`: `red`. */
  readonly newItems?: readonly string[];
  /** Whether `newItems` names other products, not variants of the same one. */
  readonly otherProduct?: boolean;
  readonly reason?: string;
  /** The user's words for the payment method: `my paypal account`, `the gift card`. */
  readonly payment?: string;
  readonly address?: Address;
  /** The user id of whose profile it is about, where that is somebody else's. */
  readonly profileOf?: string;
  readonly before?: Pick<RetailRequest, "reason" | "address">;
}

/** A postal address in τ-bench's fields. */
export interface Address {
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
  readonly zip: string;
}
