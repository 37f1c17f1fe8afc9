/**
 * Implements the expert agent, which follows a script: it asks who the user is, looks up what it needs, asks for
 * missing details, reads them back, changes the database after the user says yes, and answers the user's questions. It
 * recognizes the scripted user's phrases. It may know the task's goal, but acts on a detail only after the conversation
 * has mentioned it, because its demonstrations teach a policy that sees only the conversation. If a request stays
 * ambiguous, it says that it cannot help.
 */

import { partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import { sameCanonical } from "../state_hash.ts";
import type {
  Action,
  Agent,
  AgentSession,
  AgentStart,
  AgentStep,
  Message,
  Observation,
  ToolAction,
  Turn,
} from "../types.ts";
import { Desk, type Move, type Script } from "./desk.ts";
import { soloScript } from "./solo_expert.ts";
import { openingOf, type PromptStyle } from "./tool_calling.ts";

/** Options for {@linkcode expertAgent}. */
export interface ExpertOptions {
  /** The content of the prompt, as for the tool-calling agent. Default: `full`. */
  readonly prompt?: PromptStyle;
  /**
   * Returns the system message of a conversation. Default: the tool-calling agent's, which is present only if `prompt`
   * is `full`.
   */
  readonly system?: (start: AgentStart) => Message;
}

/**
 * Creates the expert agent, which uses no model.
 * @throws {MissingPartError} If the domain has no expert or, in an episode without a user, no scripted user with tools;
 * thrown by `start` or the first `act`.
 */
export function expertAgent(
  { prompt = "full", system }: ExpertOptions = {},
): Agent {
  return {
    name: "expert",
    model: "gold",
    start(start) {
      const opening = system === undefined
        ? openingOf(start, prompt)
        : [system(start), ...openingOf(start, "none")];
      return new ExpertSession(start, opening);
    },
  };
}

class ExpertSession implements AgentSession {
  readonly #script: Script;
  readonly #messages: Message[];
  #observation: Observation | undefined;
  /** The next move, if already computed. */
  #next: Move | undefined;
  #action: Action | undefined;
  #calls = 0;

  constructor(start: AgentStart, opening: Message[]) {
    const { task, dataset, firstMessage, history = [] } = start;
    this.#messages = opening;
    const solo = dataset.rules?.solo;
    this.#script = solo !== undefined
      ? soloScript(start, solo.stopTool)
      : partOf(domainOf(dataset), "expert")({
        desk: new Desk(firstMessage),
        task,
        database: dataset.database,
      });
    for (const turn of history) this.#catchUp(turn);
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  act(): Promise<AgentStep> {
    const move = this.#peek();
    this.#next = undefined;
    this.#action = this.#toAction(move);
    return Promise.resolve({ type: "action", action: this.#action });
  }

  observe(observation: Observation): void {
    this.#observation = observation;
    const { content } = observation;
    if (observation.source === "tool" && this.#action?.type === "tool") {
      const { id, name } = this.#action.call;
      this.#messages.push({ role: "tool", name, toolCallId: id, content });
    } else {
      this.#messages.push({ role: "user", content });
    }
  }

  close(): void {}

  #peek(): Move {
    if (this.#next !== undefined) return this.#next;
    // A generator ignores the argument of its first `next`.
    const { value } = this.#script.next(this.#observation as Observation);
    return this.#next = value ?? { type: "say", content: "goodbye." };
  }

  /**
   * Replays an earlier turn. The script advances if the turn matches the expert's own next move: if it makes the same
   * call, or if both are messages. Otherwise the turn is only recorded.
   */
  #catchUp({ action, observation }: Turn): void {
    const move = this.#peek();
    const stands = action.type === "respond"
      ? move.type === "say"
      : move.type === "call" && isSame(move.action, action.call);
    if (action.type === "respond") {
      this.#messages.push({ role: "assistant", content: action.content });
    } else {
      const { call } = action;
      this.#messages.push({
        role: "assistant",
        content: "",
        toolCalls: [call],
      });
      this.#calls++;
    }
    this.#action = action;
    const before = this.#observation;
    this.observe(observation);
    if (stands) this.#next = undefined;
    else this.#observation = before;
  }

  #toAction(move: Move): Action {
    const { content } = move;
    if (move.type === "say") {
      this.#messages.push({ role: "assistant", content });
      return { type: "respond", content };
    }
    const call = { id: `call_${this.#calls++}`, ...move.action };
    this.#messages.push({ role: "assistant", content, toolCalls: [call] });
    return { type: "tool", call };
  }
}

function isSame(a: ToolAction, b: ToolAction): boolean {
  return a.name === b.name && sameCanonical(a.arguments, b.arguments);
}
