/**
 * The expert's desk: what the customer has said, what the tools have shown, and the moves that add to
 * it. What the expert says or calls may use nothing that is not on the desk.
 */

import { type JsonObject, parsePythonJson } from "../python/python_json.ts";
import type { Observation, ToolAction } from "../types.ts";

/** What the expert does next. */
export type Move =
  | { readonly type: "say"; readonly content: string }
  | {
    readonly type: "call";
    readonly action: ToolAction;
    /** A note beside the call, which the customer does not hear. */
    readonly content: string;
  };

/** A part of the conversation: yields moves, is resumed with what came of them. */
export type Script<T = void> = Generator<Move, T, Observation>;

/** What is known in a conversation. */
export class Desk {
  /** Rows by the id that they were asked for with, as last observed. */
  readonly orders = new Map<string, JsonObject>();
  readonly products = new Map<string, JsonObject>();
  user: JsonObject | undefined;
  /** Empty until the customer has been found. */
  userId = "";
  readonly #said: string[];
  readonly #shown: string[] = [];
  readonly #called = new Set<string>();
  #since = 0;

  /** @param firstMessage What the customer opened with. */
  constructor(firstMessage: string) {
    this.#said = [firstMessage.toLowerCase()];
  }

  /** What the customer said last, lower case. */
  get last(): string {
    return this.#said.at(-1) ?? "";
  }

  /** From here on, {@linkcode Desk.heard} is about the request that the customer has just made. */
  beginRequest(): void {
    this.#since = this.#said.length - 1;
  }

  /** Whether the customer said all of `words` since the request began. */
  heard(...words: readonly string[]): boolean {
    const said = this.#said.slice(this.#since).join("\n");
    return words.every((one) => said.includes(one.toLowerCase()));
  }

  /** Whether the customer ever said all of `words`. */
  everHeard(...words: readonly string[]): boolean {
    const said = this.#said.join("\n");
    return words.every((one) => said.includes(one.toLowerCase()));
  }

  /** Whether `value` stands anywhere in the conversation. */
  knows(value: string): boolean {
    const text = value.toLowerCase();
    return this.everHeard(text) ||
      this.#shown.some((shown) => shown.includes(text));
  }

  /** Whether the very same call has been made. */
  hasCalled(action: ToolAction): boolean {
    return this.#called.has(keyOf(action));
  }

  /** Says something; returns the customer's answer, lower case. */
  *say(content: string): Script<string> {
    const { content: reply } = yield { type: "say", content };
    this.#said.push(reply.toLowerCase());
    return this.last;
  }

  /** Calls a tool; returns what it shows. */
  *call(action: ToolAction, content = ""): Script<string> {
    const { content: shown } = yield { type: "call", action, content };
    this.#called.add(keyOf(action));
    this.#shown.push(shown.toLowerCase());
    this.#keep(action, shown);
    return shown;
  }

  #keep({ name, arguments: args }: ToolAction, shown: string): void {
    if (name.startsWith("find_user_id")) this.userId = shown;
    const row = parseRow(shown);
    if (row === undefined) return;
    const id = args.get("order_id") ?? args.get("product_id");
    if (name === "get_user_details") this.user = row;
    else if (typeof id !== "string") return;
    else if (name === "get_product_details") this.products.set(id, row);
    else this.orders.set(id, row);
  }
}

function keyOf({ name, arguments: args }: ToolAction): string {
  return JSON.stringify([name, ...args]);
}

function parseRow(shown: string): JsonObject | undefined {
  if (!shown.startsWith("{")) return undefined;
  const row = parsePythonJson(shown);
  return row instanceof Map ? row : undefined;
}
