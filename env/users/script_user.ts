/** Implements a user with tools who follows a domain's script, without a model. */

import type { Move, Script } from "../agents/desk.ts";
import {
  type CallOptions,
  type Observation,
  STOP,
  type User,
  type UserHeard,
  type UserMove,
} from "../types.ts";

/** Creates the user of one episode from a script. */
export function scriptUser(script: Script): User {
  return new ScriptUser(script);
}

class ScriptUser implements User {
  readonly #script: Script;
  #hasBegun = false;
  #calls = 0;

  constructor(script: Script) {
    this.#script = script;
  }

  async open(options: CallOptions = {}): Promise<string> {
    return await this.reply("", options);
  }

  async reply(content: string, _options: CallOptions = {}): Promise<string> {
    return (await this.act({ type: "message", content })).content;
  }

  // deno-lint-ignore require-await
  async act(heard: UserHeard): Promise<UserMove> {
    // The agent's greeting, before the first move, is ignored.
    const { value: move, done } = this.#hasBegun
      ? this.#script.next(observationOf(heard))
      : (this.#script as Iterator<Move>).next();
    this.#hasBegun = true;
    if (done || move === undefined) return { content: STOP, toolCalls: [] };
    if (move.type === "say") return { content: move.content, toolCalls: [] };
    const id = `user-${this.#calls++}`;
    return { content: "", toolCalls: [{ id, ...move.action }] };
  }
}

function observationOf(heard: UserHeard): Observation {
  if (heard.type === "message") {
    return { source: "user", content: heard.content, done: false };
  }
  const content = heard.answers.map(({ content }) => content).join("\n");
  return { source: "tool", content, done: false };
}
