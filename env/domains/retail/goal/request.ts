/**
 * The goals of retail users. They describe items in words rather than by id, so that the agent has to look up the ids.
 */

import type { Task } from "../../../types.ts";
import type { Goal, Identity, Request } from "../../shared/goal/goal.ts";

/** A retail user's identity and requests. */
export interface RetailGoal extends Goal<RetailRequest> {
  readonly identity: Identity;
}

/** A task of the retail domain. */
export type RetailTask = Task<RetailGoal>;

/** The kinds of requests that a retail user makes. */
export type Intent =
  | "cancel"
  | "return"
  | "exchange"
  | "modify_items"
  | "modify_address"
  | "modify_payment"
  | "user_address"
  | "question";

/** A request of a retail user. */
export interface RetailRequest extends Request {
  readonly intent: Intent;
  /** The order's id; omitted if the user does not know it. */
  readonly orderId?: string;
  /** The user's description of an order whose id they do not know: `the one with the oak stool`. */
  readonly orderWords?: string;
  /** The user's words for each item, unique within the order: `blue desk lamp`. */
  readonly items?: readonly string[];
  /** The user's words for each item's replacement, in the order of `items`: `red`. */
  readonly newItems?: readonly string[];
  /** Whether `newItems` names other products instead of variants of the same product. */
  readonly otherProduct?: boolean;
  readonly reason?: string;
  /** The user's words for the payment method, or its id: `my gift card`, `credit card ending in 1234`. */
  readonly payment?: string;
  readonly address?: Address;
  /**
   * The id of another user whose profile the request is about. Omitted if the request is not about another user's
   * profile.
   */
  readonly profileOf?: string;
  readonly before?: Pick<RetailRequest, "reason" | "address">;
}

/** A postal address with the fields of τ-bench's addresses. */
export interface Address {
  readonly address1: string;
  readonly address2: string;
  readonly city: string;
  readonly state: string;
  readonly country: string;
  readonly zip: string;
}
