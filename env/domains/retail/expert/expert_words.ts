/**
 * Phrases the expert's messages. The sentences are short and regular. Each id follows the user's own words for the item
 * or payment method: `your gift card gift_card_1234567`.
 */

import { MORE } from "../../shared/expert/words.ts";
import type { Address, RetailRequest } from "../goal/request.ts";
import { addressWords } from "../user/request_words.ts";

/** A detail that the expert may have to ask for. */
export type Missing =
  | "identity"
  | "wish"
  | "order"
  | "items"
  | "newItems"
  | "reason"
  | "payment"
  | "address";

const QUESTIONS: Readonly<Record<Missing, string>> = {
  identity: "sure. what is your email, or your name and zip?",
  wish: "what exactly do you want me to do?",
  order: "which order is it?",
  items: "which item is it?",
  newItems: "what should the item be instead?",
  reason: "what is the reason?",
  payment: "which payment method?",
  address: "what is the new address?",
};

/**
 * Returns the question that asks for a missing detail.
 * @param item The user's words for the item whose new variant is missing.
 */
export function askWords(missing: Missing, item?: string): string {
  return item === undefined
    ? QUESTIONS[missing]
    : QUESTIONS[missing].replace("the item", `the ${item}`);
}

/** An item that the expert reads back to the user: the user's words for it, and its id. */
export interface NamedItem {
  readonly words: string;
  readonly id: string;
}

/** The details that the expert reads back to the user. */
export interface ReadBack {
  readonly request: RetailRequest;
  readonly orderId: string;
  readonly items: readonly NamedItem[];
  readonly newItems: readonly NamedItem[];
  readonly paymentId: string;
  readonly reason: string;
  readonly address: Address | undefined;
}

/** Returns a summary of the details followed by a request for consent. */
export function confirmWords(details: ReadBack): string {
  return `${summary(details)}, yes or no?`;
}

function summary(details: ReadBack): string {
  const { orderId } = details;
  const method = methodWords(details);
  const address = details.address === undefined
    ? ""
    : addressWords(details.address);
  switch (details.request.intent) {
    case "cancel":
      return `cancel ${orderId}, ${details.reason}`;
    case "return":
      return `return ${
        details.items.map(named).join(" and ")
      } from ${orderId}, refund to ${method}`;
    case "exchange":
      return `exchange ${swaps(details, "for")} in ${orderId} with ${method}`;
    case "modify_items":
      return `change ${swaps(details, "to")} in ${orderId} with ${method}`;
    case "modify_address":
      return `ship ${orderId} to ${address}`;
    case "modify_payment":
      return `pay for ${orderId} with ${method}`;
    case "user_address":
      return `change your default address to ${address}`;
    default:
      return "answer";
  }
}

/** Returns the message that reports a fulfilled request. */
export function doneWords(
  { request, orderId }: { request: RetailRequest; orderId: string },
): string {
  return `done, ${result(request, orderId)}. ${MORE}`;
}

function result(request: RetailRequest, orderId: string): string {
  switch (request.intent) {
    case "cancel":
      return `order ${orderId} is cancelled`;
    case "return":
      return `the return from ${orderId} is requested`;
    case "exchange":
      return `the exchange in ${orderId} is requested`;
    case "modify_items":
      return `the items of ${orderId} are changed`;
    case "modify_address":
      return `the address of ${orderId} is changed`;
    case "modify_payment":
      return `the payment of ${orderId} is changed`;
    case "user_address":
      return "your default address is changed";
    default:
      return "that is it";
  }
}

/** Returns the message that refuses a request and offers more help. */
export function refuseWords(why: string): string {
  return `sorry, ${why}. ${MORE}`;
}

/**
 * Returns the reason for refusing a request because of its order's status or owner. `status` is `undefined` if the
 * order belongs to another user, because the expert must not disclose its status.
 */
export function orderRefusal(
  { request, orderId, status }: {
    request: RetailRequest;
    orderId: string;
    status: string | undefined;
  },
): string {
  return status === undefined
    ? `order ${orderId} belongs to another account, so i cannot change it`
    : `order ${orderId} is ${status}, so i cannot ${act(request)}`;
}

/** A request that breaks a policy rule. */
export interface RuleViolation {
  /** The clause of the policy that is broken. */
  readonly clause: RuleClause;
  readonly request: RetailRequest;
  /** The user's words for the item that the rule is about. */
  readonly item?: string | undefined;
  /** The user's words for the replacement item. */
  readonly newItem?: string | undefined;
}

/** A policy clause that the details of a request may break. */
export type RuleClause =
  | "cancel.reason"
  | "items.in_stock"
  | "items.same_product"
  | "payment.covers"
  | "return.refund_to";

/** Returns the reason for refusing a request that breaks a policy clause. */
export function ruleRefusal(
  { clause, request, item, newItem }: RuleViolation,
): string {
  switch (clause) {
    case "cancel.reason":
      return "that is not an accepted reason, so i cannot cancel it";
    case "items.in_stock":
      return `the ${item} in ${newItem} is out of stock, so i cannot ${
        act(request)
      }`;
    case "items.same_product":
      return `the ${newItem} is another product, so i cannot ${act(request)}`;
    case "payment.covers":
      return `there is not enough on your gift card, so i cannot ${
        act(request)
      }`;
    case "return.refund_to":
      return "a refund goes to the original payment method or to a gift card, so i cannot send it there";
  }
}

function act({ intent }: RetailRequest): string {
  if (intent === "cancel" || intent === "return" || intent === "exchange") {
    return `${intent} it`;
  }
  return "change it";
}

function swaps({ items, newItems }: ReadBack, preposition: string): string {
  return items.map((item, i) => {
    const to = newItems[i];
    return `${named(item)} ${preposition} ${to === undefined ? "" : named(to)}`;
  }).join(" and ");
}

/**
 * Describes the payment method by the user's words and its id, as in `your gift card gift_card_1234567`, or by its id
 * alone if the user has not described it.
 */
function methodWords({ request, paymentId }: ReadBack): string {
  const words = request.payment?.match(/^my (.{1,40})$/)?.[1];
  return words === undefined ? paymentId : `your ${words} ${paymentId}`;
}

function named({ words, id }: NamedItem): string {
  return `${words} ${id}`;
}
