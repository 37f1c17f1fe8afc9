/**
 * Finds values in an agent's calls and messages that do not follow from the preceding conversation. The checks are
 * independent of the expert's code and never read the gold actions.
 */

import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { row, rows, text } from "../../env/domains/shared/read_row.ts";
import type { Message, ToolAction } from "../../env/types.ts";
import { groundlessRefusal } from "./airline_refusals.ts";

/** Patterns of users' requests, keyed by the tool that fulfills the request. Tools that only read have no patterns. */
export type RequestWords = Readonly<Record<string, RegExp>>;

/** A domain-specific check of a call. It returns the faults that it finds. */
export type CallCheck = (
  call: ToolAction,
  before: Transcript,
) => readonly string[];

/** A domain-specific check of an agent's message. It returns the faults that it finds. */
export type WordsCheck = (
  content: string,
  of: {
    readonly before: Transcript;
    /** The text of the user's messages from their last request on, in lower case. */
    readonly said: string;
  },
) => readonly string[];

/** The checks of a domain. */
export interface Rules {
  readonly words: RequestWords;
  readonly check?: CallCheck;
  readonly checkWords?: WordsCheck;
  /**
   * Matches values that an agent may mention only if the user said them or a tool showed them before. By default, it
   * matches every number.
   */
  readonly told?: RegExp;
}

/** Returns every fault in a conversation, with the position of its message. */
export function underivable(
  messages: readonly Message[],
  { words, check, checkWords, told: telling = /\d+(\.\d+)?/g }: Rules,
): string[] {
  return messages.flatMap((message, i) => {
    if (message.role !== "assistant") return [];
    const before = new Transcript(messages.slice(0, i));
    const calls = message.toolCalls ?? [];
    const faults = calls.flatMap((call) => [
      ...unknownValues(call, before),
      ...unsupportedChoice(call, { before, words }),
      ...check?.(call, before) ?? [],
    ]);
    const { content } = message;
    const said = before.sinceRequest(anyOf(words));
    const told = [
      ...unknownTold(content, { before, telling }),
      ...checkWords?.(content, { before, said }) ?? [],
    ];
    return [...faults, ...told].map((fault) => `message ${i}: ${fault}`);
  });
}

/** A call and its result. */
export interface Answered {
  readonly call: ToolAction;
  readonly shown: string;
}

/** The part of a conversation before a message. */
export class Transcript {
  readonly #messages: readonly Message[];
  /** The text of all the user's messages, in lower case. */
  readonly said: string;
  /** The texts of all tool results. */
  readonly shown: readonly string[];

  constructor(messages: readonly Message[]) {
    this.#messages = messages;
    this.said = this.#of("user").join("\n").toLowerCase();
    this.shown = this.#of("tool");
  }

  #of(role: Message["role"]): string[] {
    return this.#messages.filter((one) => one.role === role)
      .map(({ content }) => content);
  }

  /**
   * Returns the text of the user's messages from their last request on, in lower case. Returns an empty string if there
   * was no request.
   * @param words Matches a request.
   */
  sinceRequest(words: RegExp): string {
    const said = this.#of("user").map((one) => one.toLowerCase());
    const at = said.findLastIndex((one) => words.test(one));
    return at < 0 ? "" : said.slice(at).join("\n");
  }

  /** Checks whether a value was shown by a tool or said by the user, who may say `one way` for `one_way`. */
  has(value: string): boolean {
    const words = value.toLowerCase();
    return this.said.includes(words) ||
      /^[a-z_]+$/.test(words) &&
        this.said.includes(words.replaceAll("_", " ")) ||
      this.shown.some((one) => one.includes(value));
  }

  /** Returns the first call of each message with its result. Omits calls without results. */
  get answered(): Answered[] {
    return this.#messages.flatMap((one, i) => {
      const [call] = one.role === "assistant" ? one.toolCalls ?? [] : [];
      const answer = this.#messages[i + 1];
      return call === undefined || answer === undefined
        ? []
        : [{ call, shown: answer.content }];
    });
  }

  /** Returns the most recently shown row that has the given value in a field; `undefined` if there is none. */
  row(field: string, value: string): JsonObject | undefined {
    return this.rows.findLast((one) => text(one, field) === value);
  }

  get rows(): JsonObject[] {
    return this.shown.filter((one) => one.startsWith("{"))
      .map((one) => parsePythonJson(one)).filter((one) => one instanceof Map);
  }
}

/**
 * Returns a fault for each string in a call's arguments that was neither said nor shown. In a calculation or a thought,
 * only some parts count; see {@linkcode partsOf}.
 */
function unknownValues(
  { name, arguments: args }: ToolAction,
  before: Transcript,
): string[] {
  const values = [...args.values()].flatMap(leaves);
  const parts = values.flatMap((value) => partsOf(name, value));
  return parts.filter((value) => !before.has(value))
    .map((value) => `${name} has "${value}", which was not said or shown`);
}

/**
 * Returns the parts of an argument that must be known beforehand: the numbers in a calculation, the words of a thought
 * except a few common ones, or the whole argument of any other tool.
 */
export function partsOf(name: string, value: string): readonly string[] {
  if (name === "calculate") return value.match(/\d+(\.\d+)?/g) ?? [];
  if (name !== "think") return [value];
  return (value.match(/\w+/g) ?? [])
    .filter((word) => !["yes", "no", "not", "in"].includes(word));
}

export function leaves(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (value instanceof Map) return [...value.values()].flatMap(leaves);
  return typeof value === "string" ? [value] : [];
}

/**
 * Returns the fault of a write that the user did not ask for in their last request, or asked for together with another
 * write. Otherwise, returns an empty list.
 */
function unsupportedChoice(
  { name }: ToolAction,
  { before, words }: { before: Transcript; words: RequestWords },
): string[] {
  const own = words[name];
  if (own === undefined) return [];
  const last = before.sinceRequest(anyOf(words)).split("\n")[0] ?? "";
  const named = Object.keys(words).filter((tool) => words[tool]!.test(last));
  return named.length === 1 && named[0] === name
    ? []
    : [`${name} is called after "${last}"`];
}

function anyOf(words: RequestWords): RegExp {
  return new RegExp(Object.values(words).map((one) => one.source).join("|"));
}

/**
 * Returns a fault for each value in an agent's message that the agent cannot know. A value is known if it was said by
 * the user, was shown by a tool, or is the number of available variants of a product that was shown.
 */
function unknownTold(
  content: string,
  { before, telling }: { before: Transcript; telling: RegExp },
): string[] {
  const answer = content.match(/^here is what you asked for: (.*)\. any/)?.[1];
  const told = [
    ...content.match(telling) ?? [],
    ...answer?.split(/, | and | for |: | (?=\d{5}$)/) ?? [],
  ];
  return told.filter((value) =>
    !before.has(value) && !before.has(value.replace(/(\.\d)0$/, "$1")) &&
    !isCount(Number(value), before)
  ).map((value) => `"${value}" is told`);
}

/** Checks whether a value is the number of available variants of a product that a tool has shown. */
function isCount(value: number, { rows: shown }: Transcript): boolean {
  return shown.some((one) =>
    rows(one, "variants").filter((variant) => variant.get("available") === true)
      .length === value
  );
}

/** The checks of the airline domain. Agents state amounts that they have computed, so plain numbers are not checked. */
export const AIRLINE: Rules = {
  words: {
    book_reservation: /\bbook a\b/,
    cancel_reservation: /\bcancel\b/,
    update_reservation_flights: /\bchange the (flights?|cabin)\b/,
    update_reservation_passengers: /\b(change|add) (a|the) passengers?\b/,
    update_reservation_baggages: /\b(add|remove a|change the) bags?\b/,
    send_certificate: /\bcompensation\b|\ba certificate of\b/,
  },
  told: /\bHAT\d+\b|\b\w+_\d{7}\b|\b\d{4}-\d\d-\d\d\b/g,
  checkWords: groundlessRefusal,
};

/** Patterns of users' requests in the retail domain. */
const RETAIL_WORDS: RequestWords = {
  cancel_pending_order: /\bcancel/,
  return_delivered_order_items: /\breturn/,
  exchange_delivered_order_items: /\bexchang/,
  modify_pending_order_items: /\b(change (the|something)|modify)\b/,
  modify_pending_order_address: /\bship\b/,
  modify_pending_order_payment: /\bpay for\b/,
  modify_user_address: /\bdefault address\b/,
};

/** The checks of the retail domain. */
export const RETAIL: Rules = { words: RETAIL_WORDS, check: retailCheck };

/**
 * Returns a fault for each item, variant, payment method, reason or address in a write that the user did not state, or
 * the fault that {@linkcode productCheck} finds in a lookup of a product.
 */
function retailCheck(call: ToolAction, before: Transcript): string[] {
  const { name, arguments: args } = call;
  if (name === "get_product_details") return productCheck(call, before);
  const words = RETAIL_WORDS[name];
  if (words === undefined) return [];
  const said = before.sinceRequest(words);
  const order = before.row("order_id", text(args, "order_id"));
  const items = leaves(args.get("item_ids") ?? null);
  const news = leaves(args.get("new_item_ids") ?? null);
  return [
    ...items.filter((id) => !isItemSaid(id, { order, said }))
      .map((id) => `the item ${id} was not named`),
    ...news.filter((id, i) =>
      !isVariantSaid(id, { old: itemOf(order, items[i] ?? ""), before, said })
    ).map((id) => `the variant ${id} was not described`),
    ...leaves(args.get("payment_method_id") ?? null)
      .filter((id) => !isMethodSaid(id, { order, before, said }))
      .map((id) => `the method ${id} was not named`),
    ...["reason", "address1", "zip"].flatMap((key) =>
      leaves(args.get(key) ?? null)
    ).filter((value) => !said.includes(value.toLowerCase()))
      .map((value) => `"${value}" was not said of this request`),
  ];
}

/** Returns a fault if the user named no item of the product that a call looks up. */
function productCheck(
  { arguments: args }: ToolAction,
  before: Transcript,
): string[] {
  const id = text(args, "product_id");
  const names = before.rows.flatMap((one) => [
    ...rows(one, "items").filter((item) => text(item, "product_id") === id)
      .map((item) => text(item, "name")),
    ...[...one].filter(([, value]) => value === id).map(([key]) => key),
  ]);
  return names.some((name) => isNamedIn(before.said, name))
    ? []
    : [`the product ${id} was not named`];
}

/** Checks whether a name was said, ignoring all characters except letters, so that `tshirt` counts as `T-Shirt`. */
function isNamedIn(said: string, name: string): boolean {
  const plain = (one: string) => one.toLowerCase().replaceAll(/[^a-z]/g, "");
  return plain(said).includes(plain(name));
}

function itemOf(order: JsonObject | undefined, id: string) {
  return rows(order, "items").find((item) => text(item, "item_id") === id);
}

function isItemSaid(
  id: string,
  { order, said }: { order: JsonObject | undefined; said: string },
): boolean {
  const item = itemOf(order, id);
  if (item === undefined) return said.includes(id);
  const name = text(item, "name");
  const alike = rows(order, "items").filter((other) =>
    text(other, "name") === name && text(other, "item_id") !== id
  );
  return said.includes(name.toLowerCase()) &&
    (alike.length === 0 || optionsOf(item).every((one) => said.includes(one)));
}

function optionsOf(item: JsonObject | undefined): string[] {
  return [...row(item, "options")?.values() ?? []]
    .map((value) => String(value).toLowerCase());
}

/**
 * Checks whether the user described the variant `id`. The user may name all of its options, or only those that differ
 * from the old variant, provided that no other available variant matches. If no tool has shown the variant, they must
 * give its id.
 */
function isVariantSaid(
  id: string,
  { old, before, said }: {
    old: JsonObject | undefined;
    before: Transcript;
    said: string;
  },
): boolean {
  const product = before.row("product_id", text(old, "product_id"));
  const variants = before.rows.flatMap((one) => rows(one, "variants"));
  const variant = variants.find((one) => text(one, "item_id") === id);
  if (variant === undefined) return said.includes(id);
  const options = optionsOf(variant);
  if ([", ", " "].some((by) => said.includes(options.join(by)))) return true;
  const fits = (one: JsonObject) =>
    optionsOf(one).every((value) =>
      said.includes(value) || optionsOf(old).includes(value)
    );
  return fits(variant) &&
    rows(product, "variants").filter((one) =>
        fits(one) && one.get("available") === true &&
        text(one, "item_id") !== text(old, "item_id")
      ).length === 1;
}

/**
 * Checks whether the user named the payment method `id`. They may give its id or its kind. If their profile has several
 * methods of the kind, the last four digits are needed too. If the profile does not list the method, it must be the one
 * that was used to pay for the order.
 */
function isMethodSaid(
  id: string,
  { order, before, said }: {
    order: JsonObject | undefined;
    before: Transcript;
    said: string;
  },
): boolean {
  if (said.includes(id)) return true;
  const kind = id.replace(/_\d+$/, "");
  if (!said.includes(kind.replace("_", " "))) return false;
  const profile = before.rows.findLast((one) => one.has("payment_methods"));
  const alike = rows(profile, "payment_methods").filter((one) =>
    text(one, "source") === kind
  );
  const method = alike.find((one) => text(one, "id") === id);
  const lastFour = text(method, "last_four");
  if (alike.length > 1) return lastFour !== "" && said.includes(lastFour);
  return method !== undefined ||
    text(rows(order, "payment_history")[0], "payment_method_id") === id;
}
