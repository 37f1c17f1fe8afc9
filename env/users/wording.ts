/**
 * The customer's sentences: what a request, an answer and a farewell sound like. Lower case and short.
 * Values (ids, names, addresses) stand in them exactly as the goal has them.
 */

import type { Rng } from "../random.ts";
import { airlineRequestWords } from "../domains/airline/user/trip_words.ts";
import type { Address, Goal, Request } from "../types.ts";

/** Chooses among the first `wording` phrasings of each sentence. */
export interface Phraser {
  (phrasings: readonly string[]): string;
}

/**
 * A phraser of `rng`; all phrasings are in use where `wording` is left out.
 * @param options.part Which of them, where some are held out; see {@linkcode Goal}.
 */
export function phraser(
  rng: Rng,
  { wording = Infinity, part }: {
    readonly wording?: number | undefined;
    readonly part?: Goal["phrasings"] | undefined;
  } = {},
): Phraser {
  return (phrasings) => {
    const known = phrasings.slice(0, wording);
    const cut = Math.ceil((2 / 3) * known.length);
    const held = part === "held_out" ? known.slice(cut) : [];
    const own = part === "train" ? known.slice(0, cut) : held;
    return rng.pick(own.length === 0 ? known : own);
  };
}

/** How a request begins a conversation. */
export function openingWords(request: Request, say: Phraser): string {
  const what = requestWords(request);
  if (request.intent === "question") {
    return say([
      `hi, what is the ${what}?`,
      `hello, please tell me the ${what}.`,
      `hi, i want to know the ${what}.`,
      `hello, could you tell me the ${what}?`,
      `i need to know the ${what}.`,
      `good day, can you look up the ${what}?`,
    ]);
  }
  return say([
    `hi, i want to ${what}.`,
    `hello, please ${what}.`,
    `hi, can you ${what}?`,
    `i would like to ${what}.`,
    `hello, i need to ${what}.`,
    `good day, could you ${what}?`,
  ]);
}

/** How a request follows another. */
export function nextWords(request: Request, say: Phraser): string {
  const what = requestWords(request);
  if (request.intent === "question") {
    return say([
      `thanks. also, what is the ${what}?`,
      `great. now please tell me the ${what}.`,
      `thank you. i also want to know the ${what}.`,
    ]);
  }
  if (request.fallback === true) {
    return say([
      `then i want to ${what}.`,
      `in that case, please ${what}.`,
      `then can you ${what}?`,
    ]);
  }
  return say([
    `thanks. i also want to ${what}.`,
    `great. now please ${what}.`,
    `thank you. next, can you ${what}?`,
  ]);
}

/**
 * What the customer wants, to follow "i want to" (questions: "what is the"). Details only where the
 * request is forthcoming.
 */
export function requestWords(request: Request, owner = "my"): string {
  if (request.trip !== undefined) return airlineRequestWords(request);
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
          ? `${owner} default address`
          : `the default address of ${request.profileOf}`
      }` +
        (all && request.address ? ` to ${addressWords(request.address)}` : "");
    case "question":
      return request.question ?? "answer";
    default:
      return airlineRequestWords(request);
  }
}

/** The order as the customer names it: by its id, or by what is in it. */
export function orderWords(request: Request): string {
  if (request.orderId !== undefined) return `order ${request.orderId}`;
  return request.orderWords === undefined
    ? "my order"
    : request.orderWords.replace(/^the one /, "my order ");
}

/** An address in one line; an empty second line is left out. */
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

/** `it is no longer needed`, `it was ordered by mistake`; any other reason as it stands. */
export function reasonWords(reason: string): string {
  if (reason === "no longer needed") return "it is no longer needed";
  if (reason === "ordered by mistake") return "it was ordered by mistake";
  return reason;
}

/** `the oak stool and the tea tray`. */
export function list(items: readonly string[]): string {
  return items.map((item) => `the ${item}`).join(" and ");
}

/** How customers say who they are, `by` email or by name and zip. */
export function identityWords(
  identity: Goal["identity"],
  { by, say }: { by: "email" | "name_zip"; say: Phraser },
): string {
  const { firstName, lastName, zip, email } = identity;
  if (by === "email") {
    return say([
      `my email is ${email}.`,
      `it is ${email}.`,
      `sure, ${email}.`,
    ]);
  }
  return say([
    `my name is ${firstName} ${lastName}, zip ${zip}.`,
    `i am ${firstName} ${lastName}, my zip is ${zip}.`,
    `${firstName} ${lastName}, zip code ${zip}.`,
  ]);
}

/** Consent. */
export function yesWords(say: Phraser): string {
  return say(["yes.", "yes, please.", "yes, go ahead."]);
}

/** A farewell, without the stop token. */
export function farewellWords(say: Phraser): string {
  return say([
    "no, that is all. thanks.",
    "that is all, thank you.",
    "no, thank you. bye.",
  ]);
}

/** What an item should become: `the red one`, or another product. */
export function newItemWords(
  words: string,
  { otherProduct = false }: Pick<Request, "otherProduct">,
): string {
  return otherProduct ? `the ${words}` : `the ${words} one`;
}

function swaps(request: Request, preposition: "for" | "to"): string {
  const news = request.newItems ?? [];
  return (request.items ?? [])
    .map((item, i) =>
      `the ${item} ${preposition} ${newItemWords(news[i] ?? "", request)}`
    )
    .join(" and ");
}
