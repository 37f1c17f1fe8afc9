/**
 * The expert's desk: what the user has said, what the tools have shown, and the moves that add to
 * it. What the expert says or calls may use nothing that is not on the desk.
 */

import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../python/python_json.ts";
import type { Observation, ToolAction } from "../types.ts";

/** What the expert does next. */
export type Move =
  | { readonly type: "say"; readonly content: string }
  | {
    readonly type: "call";
    readonly action: ToolAction;
    /** A note beside the call, which the user does not hear. */
    readonly content: string;
  };

/** A part of the conversation: yields moves, is resumed with what came of them. */
export type Script<T = void> = Generator<Move, T, Observation>;

/** A call that was made, and what it showed. */
export interface MadeCall {
  readonly action: ToolAction;
  readonly shown: JsonObject | JsonValue[];
}

/** What is known in a conversation. */
export class Desk {
  /** The calls that showed a row or a list, in their order. */
  readonly calls: MadeCall[] = [];
  user: JsonObject | undefined;
  /** Empty until the user has been found. */
  userId = "";
  /** By argument and id that they were asked for with, as last observed. */
  readonly #rows = new Map<string, JsonObject>();
  readonly #said: string[];
  readonly #shown: string[] = [];
  readonly #called = new Set<string>();
  #since = 0;

  /** @param firstMessage What the user opened with. */
  constructor(firstMessage: string) {
    this.#said = [firstMessage.toLowerCase()];
  }

  /** What the user said last, lower case. */
  get last(): string {
    return this.#said.at(-1) ?? "";
  }

  /** From here on, {@linkcode Desk.heard} is about the request that the user has just made. */
  beginRequest(): void {
    this.#since = this.#said.length - 1;
  }

  /** Whether the user said all of `words` since the request began. */
  heard(...words: readonly string[]): boolean {
    const said = this.#said.slice(this.#since).join("\n");
    return words.every((one) => said.includes(one.toLowerCase()));
  }

  /** The last message with `words` in it since the request began, lower case. */
  messageWith(words: string): string | undefined {
    const text = words.toLowerCase();
    return this.#said.slice(this.#since).findLast((one) => one.includes(text));
  }

  /** Whether the user ever said all of `words`. */
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

  /** The row that a call showed for an id, as last observed: `row("order_id", "#W1")`. */
  row(argument: string, id: string): JsonObject | undefined {
    return this.#rows.get(`${argument} ${id}`);
  }

  /** Whether the very same call has been made. */
  hasCalled(action: ToolAction): boolean {
    return this.#called.has(keyOf(action));
  }

  /** Says something; returns the user's answer, lower case. */
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
    const row = parseShown(shown);
    if (row !== undefined) {
      this.calls.push({ action: { name, arguments: args }, shown: row });
    }
    if (!(row instanceof Map)) return;
    if (name === "get_user_details") this.user = row;
    for (const [argument, id] of args) {
      if (argument.endsWith("_id")) this.#rows.set(`${argument} ${id}`, row);
    }
  }
}

function keyOf({ name, arguments: args }: ToolAction): string {
  return JSON.stringify([name, ...args]);
}

function parseShown(shown: string): JsonObject | JsonValue[] | undefined {
  if (!/^[{[]/.test(shown)) return undefined;
  const value = parsePythonJson(shown);
  return value instanceof Map || Array.isArray(value) ? value : undefined;
}
