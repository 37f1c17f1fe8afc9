/**
 * The expert's sentences: short, regular, and with each id right after the user's own words for what
 * it is the id of.
 */

import { MORE } from "../../shared/expert/words.ts";
import type { Address, RetailRequest } from "../goal/request.ts";
import { addressWords } from "../user/request_words.ts";

/** What the expert may have to ask for. */
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

/** A question for what is missing; the words for an item say of which one the new variant is missing. */
export function askWords(missing: Missing, item?: string): string {
  return item === undefined
    ? QUESTIONS[missing]
    : QUESTIONS[missing].replace("the item", `the ${item}`);
}

/** An item of a read-back: the user's words, and the id that belongs to them. */
export interface NamedItem {
  readonly words: string;
  readonly id: string;
}

/** What a read-back is made of. */
export interface ReadBack {
  readonly request: RetailRequest;
  readonly orderId: string;
  readonly items: readonly NamedItem[];
  readonly newItems: readonly NamedItem[];
  readonly paymentId: string;
  readonly reason: string;
  readonly address: Address | undefined;
}

/** The details, and a request for consent. */
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

/** What has been done. */
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

/** Why a request is refused, and what else there may be. */
export function refuseWords(why: string): string {
  return `sorry, ${why}. ${MORE}`;
}

/** The refusal for an order's status, or because it is somebody else's: then its status is nobody's business. */
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

/** What breaks a rule, in words. */
export interface Broken {
  /** The clause of policy. */
  readonly clause: RuleClause;
  readonly request: RetailRequest;
  /** The words of the item and of what it should become. */
  readonly item?: string | undefined;
  readonly newItem?: string | undefined;
}

/** A clause that details of a request may break. */
export type RuleClause =
  | "cancel.reason"
  | "items.in_stock"
  | "items.same_product"
  | "payment.covers"
  | "return.refund_to";

/** The refusal for a rule that details break. */
export function ruleRefusal(
  { clause, request, item, newItem }: Broken,
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

/** `your gift card gift_card_1234567`, or the bare id where the user has not described it. */
function methodWords({ request, paymentId }: ReadBack): string {
  const words = request.payment?.match(/^my (.{1,40})$/)?.[1];
  return words === undefined ? paymentId : `your ${words} ${paymentId}`;
}

function named({ words, id }: NamedItem): string {
  return `${words} ${id}`;
}
