/**
 * Records what the user has said and what the tools have returned. The expert agent acts on a detail only if this
 * record contains it.
 */

import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../python/python_json.ts";
import type { Observation, ToolAction } from "../types.ts";

/** The expert's next move. */
export type Move =
  | { readonly type: "say"; readonly content: string }
  | {
    readonly type: "call";
    readonly action: ToolAction;
    /** The text that accompanies the call. The user does not see it. */
    readonly content: string;
  };

/** A part of a conversation: a generator that yields moves and is resumed with their observations. */
export type Script<T = void> = Generator<Move, T, Observation>;

/** A call that returned a row or a list, with the parsed result. */
export interface MadeCall {
  readonly action: ToolAction;
  readonly shown: JsonObject | JsonValue[];
}

/** The expert's desk: its record of what it has learned in a conversation. */
export class Desk {
  /** The calls that returned a row or a list, in order. */
  readonly calls: MadeCall[] = [];
  user: JsonObject | undefined;
  /** The last result, possibly an error, of a tool that finds the user's id; empty before the first result. */
  userId = "";
  /** The most recently observed rows, keyed by the name and value of the call's id argument, such as `order_id #W1`. */
  readonly #rows = new Map<string, JsonObject>();
  readonly #said: string[];
  readonly #shown: string[] = [];
  readonly #called = new Set<string>();
  #since = 0;

  /**
   * Creates the desk of a conversation.
   * @param firstMessage The user's first message.
   */
  constructor(firstMessage: string) {
    this.#said = [firstMessage.toLowerCase()];
  }

  /** The user's last message, in lower case. */
  get last(): string {
    return this.#said.at(-1) ?? "";
  }

  /**
   * Marks the user's last message as the start of a request, for {@linkcode Desk.heard} and {@linkcode
   * Desk.messageWith}.
   */
  beginRequest(): void {
    this.#since = this.#said.length - 1;
  }

  /**
   * Checks whether the user's messages since the start of the current request contain all of `words`, ignoring case.
   */
  heard(...words: readonly string[]): boolean {
    const said = this.#said.slice(this.#since).join("\n");
    return words.every((one) => said.includes(one.toLowerCase()));
  }

  /**
   * Returns the user's most recent message that contains `words`, in lower case. Messages from before the current
   * request are not searched.
   */
  messageWith(words: string): string | undefined {
    const text = words.toLowerCase();
    return this.#said.slice(this.#since).findLast((one) => one.includes(text));
  }

  /** Checks whether the user's messages contain all of `words`, ignoring case. */
  everHeard(...words: readonly string[]): boolean {
    const said = this.#said.join("\n");
    return words.every((one) => said.includes(one.toLowerCase()));
  }

  /** Checks whether `value` occurs in a user message or a tool result, ignoring case. */
  knows(value: string): boolean {
    const text = value.toLowerCase();
    return this.everHeard(text) ||
      this.#shown.some((shown) => shown.includes(text));
  }

  /**
   * Returns the most recently observed row for the value of an id argument: `row("order_id", "#W1")`. Returns
   * `undefined` if there is none.
   */
  row(argument: string, id: string): JsonObject | undefined {
    return this.#rows.get(`${argument} ${id}`);
  }

  /** Checks whether exactly this call has been made. */
  hasCalled(action: ToolAction): boolean {
    return this.#called.has(keyOf(action));
  }

  /** Sends a message to the user, records the user's answer, and returns it in lower case. */
  *say(content: string): Script<string> {
    const { content: reply } = yield { type: "say", content };
    this.#said.push(reply.toLowerCase());
    return this.last;
  }

  /** Calls a tool, records the call and its result, and returns the result. */
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
