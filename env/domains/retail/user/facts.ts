/**
 * Lists the details of a retail user's request. Each detail defines how the user phrases it when asked, and which
 * messages of the agent contradict it.
 */

import type { Fact } from "../../shared/user/fact_user.ts";
import { list } from "../../shared/user/wording.ts";
import type { Address, RetailRequest } from "../goal/request.ts";
import type { Knowledge } from "./knowledge.ts";
import { addressWords, newItemWords, reasonWords } from "./request_words.ts";

/** Returns the details of a request, in the order in which the user states them. */
export function factsOf(request: RetailRequest, knowledge: Knowledge): Fact[] {
  const facts: Fact[] = [];
  const { orderId, orderWords, items, newItems, reason, payment, address } =
    request;
  if (orderId !== undefined) facts.push(orderFact(orderId));
  else if (orderWords !== undefined) facts.push(vagueOrderFact(orderWords));
  if (items !== undefined) {
    facts.push(itemsFact([...items, ...newItems ?? []], items, knowledge));
    if (newItems !== undefined) {
      facts.push(newItemsFact({ ...request, items, newItems }, knowledge));
    }
  }
  if (reason !== undefined) facts.push(reasonFact(reason));
  if (payment !== undefined) facts.push(paymentFact(payment));
  if (address !== undefined) facts.push(addressFact(address));
  return facts;
}

function orderFact(orderId: string): Fact {
  const own = orderId.toLowerCase();
  return {
    kind: "order",
    words: (say) =>
      say([
        `it is ${orderId}.`,
        `order ${orderId}.`,
        `the order is ${orderId}.`,
      ]),
    contradictedBy(text) {
      const ids = [...text.matchAll(/#?(w\d{7})\b/g)].map((m) => `#${m[1]}`);
      return ids.length > 0 && !ids.includes(own);
    },
  };
}

function vagueOrderFact(words: string): Fact {
  return {
    kind: "order",
    words: (say) =>
      say([
        `i do not know the id, it is ${words}.`,
        `it is ${words}, i do not have the id.`,
        `${words}. i forgot the id.`,
      ]),
    contradictedBy: () => false,
  };
}

function itemsFact(
  mentioned: readonly string[],
  items: readonly string[],
  knowledge: Knowledge,
): Fact {
  const own = mentioned.map((words) => words.toLowerCase());
  const others = knowledge.itemNames.filter((name) =>
    !own.some((words) => words.includes(name))
  );
  return {
    kind: "items",
    words: (say) =>
      say([
        `${list(items)}.`,
        `it is ${list(items)}.`,
        `${list(items)}, please.`,
      ]),
    contradictedBy: (text) => others.some((name) => hasWord(text, name)),
  };
}

function newItemsFact(
  request: RetailRequest & {
    readonly items: readonly string[];
    readonly newItems: readonly string[];
  },
  knowledge: Knowledge,
): Fact {
  const { items, newItems } = request;
  const options = newItems.flatMap((words, i) =>
    knowledge.optionsOf(items[i] ?? "").flatMap((values) => {
      const own = values.filter((value) => hasWord(words.toLowerCase(), value));
      return own.length === 0
        ? []
        : [{ own, others: values.filter((value) => !own.includes(value)) }];
    })
  );
  const words = newItems.map((item) => newItemWords(item, request))
    .join(" and ");
  return {
    kind: "newItems",
    words: (say) => say([`${words}.`, `${words}, please.`, `i want ${words}.`]),
    contradictedBy: (text) =>
      options.some(({ own, others }) =>
        !own.some((value) => hasWord(text, value)) &&
        others.some((value) => hasWord(text, value))
      ),
  };
}

function reasonFact(reason: string): Fact {
  const reasons = ["no longer needed", "ordered by mistake"];
  const others = reasons.filter((other) => other !== reason);
  return {
    kind: "reason",
    words: (say) =>
      say([
        `${reasonWords(reason)}.`,
        `because ${reasonWords(reason)}.`,
        `well, ${reasonWords(reason)}.`,
      ]),
    contradictedBy: (text) =>
      !text.includes(reason) && others.some((other) => text.includes(other)),
  };
}

const SOURCES: readonly (readonly [string, RegExp])[] = [
  ["paypal", /paypal/],
  ["gift_card", /gift[ _]?card/],
  ["credit_card", /credit[ _]?card|visa|mastercard|amex/],
];

const METHOD_ID = /\b(?:paypal|gift_card|credit_card)_\d{7}\b/g;

function paymentFact(payment: string): Fact {
  const own = payment.toLowerCase();
  const id = own.match(METHOD_ID)?.[0];
  const source = SOURCES.find(([, pattern]) => pattern.test(own));
  return {
    kind: "payment",
    words: (say) =>
      say([`${payment}.`, `${payment}, please.`, `use ${payment}.`]),
    contradictedBy(text) {
      const ids: readonly string[] = text.match(METHOD_ID) ?? [];
      if (id !== undefined && ids.length > 0) return !ids.includes(id);
      if (source === undefined || source[1].test(text)) return false;
      return SOURCES.some(([, pattern]) => pattern.test(text));
    },
  };
}

const STREET =
  /\b\d+ [a-z]+( [a-z]+)? (street|drive|avenue|road|lane|way|place|court|boulevard|highway)\b/;

function addressFact(address: Address): Fact {
  const words = addressWords(address);
  return {
    kind: "address",
    words: (say) => say([`${words}.`, `to ${words}.`, `it is ${words}.`]),
    contradictedBy(text) {
      const zips: readonly string[] = text.match(/\b\d{5}\b/g) ?? [];
      if (zips.length > 0 && !zips.includes(address.zip)) return true;
      return STREET.test(text) &&
        !text.includes(address.address1.toLowerCase());
    },
  };
}

/** Checks whether `word` occurs in `text` as a whole word. Both must be in lower case. */
function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = text[at - 1] ?? " ";
    const after = text[at + word.length] ?? " ";
    if (!/[\w]/.test(before) && !/[\w]/.test(after)) return true;
  }
  return false;
}
