/**
 * Clauses of policy that no generated request can break, and why: what breaks them is a call that no customer's words
 * mean, whatever is drawn.
 */

import type { DomainName } from "../types.ts";

/** By domain and clause. At the airline every clause refuses something. */
export const UNTESTED: Readonly<
  Record<DomainName, Readonly<Record<string, string>>>
> = {
  retail: {
    "payment.own": "customers name methods by their kind, of those they have",
    "payment.once": "every order has been paid once",
    "items.of_order": "words for what the order lacks mean no call",
    "items.other_variant": "words for the variant that it has mean no call",
    "items.some": "a wish about no item means no call",
  },
  airline: {},
};
