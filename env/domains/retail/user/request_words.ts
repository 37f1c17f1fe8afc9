/** Phrases a scripted retail user's sentences about a request. Values appear exactly as in the goal. */

import { list } from "../../shared/user/wording.ts";
import type { Address, Intent, RetailRequest } from "../goal/request.ts";

/**
 * Phrases a request as the continuation of "i want to" or, for a question, of "what is the". A request about an order
 * always describes the order, but includes the other details only if `request.forthcoming` is set.
 */
export function requestWords(request: RetailRequest): string {
  const all = request.forthcoming === true;
  const order = orderWords(request);
  const items = all && request.items ? list(request.items) : "something";
  const pay = all && request.payment ? request.payment : undefined;
  switch (request.intent) {
    case "cancel":
      return `cancel ${order}` +
        (all && request.reason
          ? ` because ${reasonWords(request.reason)}`
          : "");
    case "return":
      return `return ${items} from ${order}` +
        (pay ? `, with the refund to ${pay}` : "");
    case "exchange":
      return (all
        ? `exchange ${swaps(request, "for")}`
        : "exchange something") +
        ` in ${order}` + (pay ? `, with ${pay}` : "");
    case "modify_items":
      return (all ? `change ${swaps(request, "to")}` : "change something") +
        ` in ${order}` + (pay ? `, with ${pay}` : "");
    case "modify_address":
      return all && request.address
        ? `ship ${order} to ${addressWords(request.address)}`
        : `ship ${order} to another address`;
    case "modify_payment":
      return pay
        ? `pay for ${order} with ${pay}`
        : `pay for ${order} in another way`;
    case "user_address":
      return `change ${
        request.profileOf === undefined
          ? "my default address"
          : `the default address of ${request.profileOf}`
      }` +
        (all && request.address ? ` to ${addressWords(request.address)}` : "");
    case "question":
      return request.question ?? "answer";
  }
}

const VERBS: readonly (readonly [Intent, RegExp])[] = [
  ["cancel", /\bcancel/],
  ["return", /\breturn/],
  ["exchange", /\bexchang/],
  ["modify_items", /\b(chang\w*|modif\w*) (the|something)\b/],
  ["modify_address", /\bship/],
  ["modify_payment", /\bpay(ing)? for\b/],
  ["user_address", /\bdefault address\b/],
];

/** Returns the kinds of request that a lowercase message mentions, except questions. */
export function intentsIn(message: string): Intent[] {
  return VERBS.filter(([, verb]) => verb.test(message))
    .map(([intent]) => intent);
}

/** Returns the user's description of the order: by its id or one of its items, or just `my order`. */
export function orderWords(request: RetailRequest): string {
  if (request.orderId !== undefined) return `order ${request.orderId}`;
  return request.orderWords === undefined
    ? "my order"
    : request.orderWords.replace(/^the one /, "my order ");
}

/** Returns an address on one line, without empty fields. */
export function addressWords(address: Address): string {
  return [
    address.address1,
    address.address2,
    address.city,
    address.state,
    address.country,
    address.zip,
  ].filter((part) => part !== "").join(", ");
}

/**
 * Phrases a cancellation reason: `it is no longer needed`, `it was ordered by mistake`. Returns any other reason
 * unchanged.
 */
export function reasonWords(reason: string): string {
  if (reason === "no longer needed") return "it is no longer needed";
  if (reason === "ordered by mistake") return "it was ordered by mistake";
  return reason;
}

/** Describes an item's replacement: `the red one` for another variant, or the name of another product. */
export function newItemWords(
  words: string,
  { otherProduct = false }: Pick<RetailRequest, "otherProduct">,
): string {
  return otherProduct ? `the ${words}` : `the ${words} one`;
}

function swaps(request: RetailRequest, preposition: "for" | "to"): string {
  const news = request.newItems ?? [];
  return (request.items ?? [])
    .map((item, i) =>
      `the ${item} ${preposition} ${newItemWords(news[i] ?? "", request)}`
    )
    .join(" and ");
}
