/**
 * The expert's sentences: short, regular, and with each id right after the user's own words for what
 * it is the id of.
 */

import type { Phraser } from "../../shared/user/wording.ts";
import { moreWords } from "../../shared/expert/words.ts";
import type { Address, RetailRequest } from "../goal/request.ts";
import { addressWords } from "../user/request_words.ts";

/** What the expert may have to ask for. */
export type Missing =
  | "identity"
  | "order"
  | "items"
  | "newItems"
  | "reason"
  | "payment"
  | "address";

/** A question for what is missing. */
export function askWords(
  missing: Missing,
  { say, item = "" }: { say: Phraser; item?: string | undefined },
): string {
  switch (missing) {
    case "identity":
      return say([
        "sure. what is your email, or your name and zip?",
        "happy to help. may i have your email, or your name and zip?",
        "of course. please tell me your email, or your name and zip.",
      ]);
    case "order":
      return say([
        "which order is it?",
        "what is the order id?",
        "please tell me the order id.",
      ]);
    case "items":
      return say([
        "which item is it?",
        "which items do you mean?",
        "please tell me which items.",
      ]);
    case "newItems":
      return say([
        `what should the ${item} be instead?`,
        `which option do you want for the ${item}?`,
        `what do you want instead of the ${item}?`,
      ]);
    case "reason":
      return say([
        "what is the reason?",
        "why, no longer needed or ordered by mistake?",
        "may i ask the reason?",
      ]);
    case "payment":
      return say([
        "which payment method?",
        "which payment method should i use?",
        "what payment method do you want?",
      ]);
    case "address":
      return say([
        "what is the new address?",
        "which address should it be?",
        "please tell me the new address.",
      ]);
  }
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
export function confirmWords(details: ReadBack, say: Phraser): string {
  const what = summary(details);
  return say([
    `${what}, yes or no?`,
    `shall i ${what}, yes or no?`,
    `i will ${what}. yes or no?`,
  ]);
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
  say: Phraser,
): string {
  return `done, ${result(request, orderId)}. ${moreWords(say)}`;
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

/** Why a request is refused: the order's status, or that it belongs to somebody else. */
export function declineWords(
  { request, orderId, status }: {
    request: RetailRequest;
    orderId: string;
    /** `undefined` where the order is somebody else's. */
    status: string | undefined;
  },
  say: Phraser,
): string {
  if (status === undefined) {
    return `sorry, order ${orderId} belongs to another account, so i cannot change it. ${
      moreWords(say)
    }`;
  }
  return `sorry, order ${orderId} is ${status}, so i cannot ${act(request)}. ${
    moreWords(say)
  }`;
}

/** The rule that refuses a request whatever its order's status is; `undefined` where none does. */
export function ruleWords(request: RetailRequest): string | undefined {
  const { newItems = [], items = [] } = request;
  switch (request.refusedBy) {
    case "cancel.reason":
      return "that is not an accepted reason, so i cannot cancel it";
    case "items.in_stock":
      return `the ${items[0]} in ${newItems[0]} is out of stock, so i cannot ${
        act(request)
      }`;
    case "items.same_product":
      return `the ${newItems[0]} is another product, so i cannot ${
        act(request)
      }`;
    case "payment.covers_total":
    case "payment.covers_difference":
      return `there is not enough on your gift card, so i cannot ${
        act(request)
      }`;
    case "return.refund_to":
      return "a refund goes to the original payment method or to a gift card, so i cannot send it there";
    default:
      return undefined;
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
