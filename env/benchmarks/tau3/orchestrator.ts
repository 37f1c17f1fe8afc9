/**
 * τ³-bench's conversation, half duplex: agent and user take turns, each may call tools, and rules end it. A state
 * machine without waiting: it says who speaks next, and is told what they said.
 *
 *     next ─▶ agent or user replies ─▶ reply() ─▶ calls are answered ─▶ next
 */

import type { Action } from "../../types.ts";
import type { Tau3Bundle } from "./load_bundle.ts";
import type { TerminationReason } from "./evaluators/evaluate_simulation.ts";
import { RaisedError } from "./raised.ts";
import { replayMessages } from "./replay_messages.ts";
import {
  hasText,
  type ParticipantMessage,
  type Requestor,
  type Tau3Call,
  type Tau3Message,
  type ToolMessage,
} from "./tau3_message.ts";
import type { Tau3Task } from "./tau3_task.ts";
import { startWorld, type Tau3World } from "./tau3_world.ts";

/** What the agent says before the user's first message. */
export const GREETING = "Hi! How can I help you today?";

/** Words of the user that end a conversation. */
export const USER_STOP_TOKENS: readonly string[] = [
  "###STOP###",
  "###TRANSFER###",
  "###OUT-OF-SCOPE###",
];

/** The word of a solo agent that ends its work. */
export const SOLO_STOP_TOKEN = "###STOP###";

/** The tool by which a solo agent ends its work. */
export const SOLO_STOP_TOOL = "done";

/** The rules of a conversation. */
export interface OrchestratorOptions {
  readonly source: Pick<Tau3Bundle, "domain" | "part" | "databases">;
  readonly task: Tau3Task;
  /** Most messages that are delivered. Default: 200. */
  readonly maxSteps?: number;
  /** Most answers that are errors. Default: 10. */
  readonly maxErrors?: number;
  /** Whether the agent acts alone, with the user's tools. Default: false. */
  readonly solo?: boolean;
  /** Whether text beside a call ends the conversation. Default: false. */
  readonly validateCommunication?: boolean;
}

/** What a participant answers when they are asked. */
export interface Reply {
  readonly content: string | null;
  /** Who calls is known. */
  readonly toolCalls?: readonly Omit<Tau3Call, "requestor">[] | null;
  /** In US dollars. Default: not known. */
  readonly cost?: number | null;
}

/** Who speaks next, or why nobody does. */
export type Next =
  | { readonly speaker: Requestor }
  | { readonly ended: TerminationReason };

/** A message's way: from whom to whom. */
type Role = "agent" | "user" | "env";

/** A conversation under way. */
export class Orchestrator {
  readonly world: Tau3World;
  readonly #task: Tau3Task;
  readonly #maxSteps: number;
  readonly #maxErrors: number;
  readonly #solo: boolean;
  readonly #validates: boolean;
  readonly #messages: Tau3Message[] = [];
  #from: Role = "agent";
  #to: Role = "user";
  #ended: TerminationReason | undefined;
  #steps = 0;
  #errors = 0;

  /**
   * Sets the world up, and begins or takes up the conversation.
   * @throws {RaisedError} If the task's history cannot be taken up.
   */
  constructor(options: OrchestratorOptions) {
    const { source, task, solo = false } = options;
    this.#task = task;
    this.#maxSteps = options.maxSteps ?? 200;
    this.#maxErrors = options.maxErrors ?? 10;
    this.#solo = solo;
    this.#validates = options.validateCommunication ?? false;
    this.world = startWorld(source, task, { solo });
    replayMessages(this.world, task.history, { source, solo });
    const last = task.history.at(-1);
    if (last !== undefined) {
      checkHistory(task.history);
      this.#messages.push(...task.history);
      this.#goOnFrom(last);
    } else if (solo) {
      this.#to = "agent";
      return;
    } else {
      const greeting = { content: GREETING, toolCalls: null, cost: 0 };
      this.#messages.push({ role: "assistant", ...greeting });
    }
    this.#checkCommunication();
    this.world.sync();
    this.#answerCalls();
  }

  /** Whether the agent acts alone. */
  get isSolo(): boolean {
    return this.#solo;
  }

  /** All messages so far, in order. */
  get messages(): readonly Tau3Message[] {
    return this.#messages;
  }

  /** How many messages were delivered. */
  get steps(): number {
    return this.#steps;
  }

  /** How many answers were errors. */
  get errors(): number {
    return this.#errors;
  }

  /** Who speaks next, or why nobody does. */
  get next(): Next {
    if (this.#ended !== undefined) return { ended: this.#ended };
    return { speaker: this.#to === "user" ? "user" : "assistant" };
  }

  /** What the agent has seen: its own messages, what the user said, and the answers to its calls. */
  get agentHistory(): Tau3Message[] {
    return this.#messages.filter((message) =>
      message.role === "tool"
        ? message.requestor === "assistant"
        : message.role === "assistant" || message.toolCalls === null
    );
  }

  /** What the user has seen: their own messages, what the agent said, and the answers to their calls. */
  get userHistory(): Tau3Message[] {
    return this.#messages.filter((message) =>
      message.role === "tool"
        ? message.requestor === "user"
        : message.role === "user" || message.toolCalls === null
    );
  }

  /** What each side's messages cost; `null` where it is not known of one. */
  get costs(): { readonly agent: number; readonly user: number } | null {
    const costs = { agent: 0, user: 0 };
    for (const message of this.#messages) {
      if (message.role === "tool") continue;
      if (message.cost === null) return null;
      costs[message.role === "user" ? "user" : "agent"] += message.cost;
    }
    return costs;
  }

  /**
   * Takes the next speaker's reply, and answers its calls.
   * @throws {RaisedError} If it says nothing and calls nothing.
   */
  reply(reply: Reply): void {
    if (this.#ended !== undefined) {
      throw new TypeError("The conversation is over: nobody is asked");
    }
    const isFirst = this.#messages.length === 0;
    const message = this.#to === "user"
      ? messageOf("user", reply)
      : this.#agentMessage(reply);
    this.#checkContent(message);
    this.#send(message);
    if (isFirst) this.#beginSolo(message);
    this.#checkCommunication();
    if (!isFirst) this.#steps++;
    this.world.sync();
    if (!isFirst) this.#checkLimits();
    this.#answerCalls();
  }

  /** Ends the conversation for a reason that is not its own, unless it has ended. */
  end(reason: TerminationReason): void {
    this.#ended ??= reason;
  }

  #agentMessage(reply: Reply): ParticipantMessage {
    const message = messageOf("assistant", reply);
    return this.#solo &&
        message.toolCalls?.some(({ name }) => name === SOLO_STOP_TOOL)
      ? { ...message, content: SOLO_STOP_TOKEN, toolCalls: null }
      : message;
  }

  #checkContent(message: ParticipantMessage): void {
    if (hasText(message) || message.toolCalls !== null) return;
    throw new RaisedError(
      "ValueError",
      `The message of the ${message.role} says nothing and calls nothing`,
    );
  }

  /** Delivers a message, by which its sender may end the conversation. */
  #send(message: ParticipantMessage): void {
    this.#messages.push(message);
    this.#from = message.role === "user" ? "user" : "agent";
    this.#to = message.toolCalls !== null
      ? "env"
      : message.role === "user"
      ? "agent"
      : "user";
    if (message.role === "user") {
      if (isUserStop(message)) this.#ended = "user_stop";
    } else if (this.#isAgentStop(message)) {
      this.#ended = "agent_stop";
    } else if (this.#solo && message.toolCalls === null) {
      this.#ended = "agent_error";
    }
  }

  /** A solo agent's first message may stop beside a call, which is then not run. */
  #beginSolo(message: ParticipantMessage): void {
    if (this.#ended !== undefined && message.toolCalls !== null) {
      this.#to = "user";
    }
  }

  #isAgentStop({ content }: ParticipantMessage): boolean {
    return this.#solo && content !== null && content.includes(SOLO_STOP_TOKEN);
  }

  #goOnFrom(last: Tau3Message): void {
    if (last.role === "tool") {
      this.#from = "env";
      this.#to = last.requestor === "user" ? "user" : "agent";
      return;
    }
    this.#messages.pop();
    this.#send(last);
  }

  /** Runs calls while they are to be answered. */
  #answerCalls(): void {
    while (this.#to === "env" && this.#ended === undefined) {
      const message = this.#messages.at(-1);
      const calls = message?.role === "tool" ? [] : message?.toolCalls ?? [];
      const answers = calls.map((call) => this.world.respond(call));
      this.#messages.push(...answers);
      this.#errors += answers.filter(({ error }) => error).length;
      this.#to = this.#from;
      this.#from = "env";
      this.#steps++;
      this.world.sync();
      this.#checkLimits();
    }
    if (this.#to === "env" && !isProtocolError(this.#ended)) {
      throw new RaisedError("ValueError", "The last message calls a tool");
    }
  }

  /** Limits end a conversation only between turns, and whatever else ended it. */
  #checkLimits(): void {
    if (this.#to === "env") return;
    if (this.#steps >= this.#maxSteps) this.#ended = "max_steps";
    if (this.#errors >= this.#maxErrors) this.#ended = "too_many_errors";
  }

  #checkCommunication(): void {
    const message = this.#messages.at(-1);
    if (!this.#validates || message === undefined || message.role === "tool") {
      return;
    }
    const says = hasText(message);
    const calls = message.toolCalls !== null;
    const isAlone = this.#solo && message.role === "assistant";
    const isWrong = says === calls ||
      isAlone && says && !this.#isAgentStop(message);
    if (!isWrong) return;
    this.#ended = message.role === "user" ? "user_error" : "agent_error";
  }
}

/**
 * What an agent calls in one message as its reply. A solo agent that says beside its calls that it is done only says
 * that: upstream does not run such calls, and cannot evaluate a conversation whose calls have no answer.
 */
export function callingReply(
  { content, call, beside = [] }: Action & { readonly type: "tool" },
  { isSolo }: { readonly isSolo: boolean },
): Reply {
  return isSolo && content?.includes(SOLO_STOP_TOKEN)
    ? { content: SOLO_STOP_TOKEN }
    : { content: content ?? null, toolCalls: [call, ...beside] };
}

function messageOf(role: Requestor, reply: Reply): ParticipantMessage {
  const { content, toolCalls = null, cost = null } = reply;
  const calls = toolCalls?.map((call) => ({ ...call, requestor: role }));
  return { role, content, toolCalls: calls ?? null, cost };
}

function isUserStop({ content, toolCalls }: ParticipantMessage): boolean {
  return toolCalls === null && content !== null &&
    USER_STOP_TOKENS.some((token) => content.includes(token));
}

function isProtocolError(reason: TerminationReason | undefined): boolean {
  return reason === "user_error" || reason === "agent_error";
}

/** @throws {RaisedError} If a message says nothing, or answers do not fit the calls before them. */
function checkHistory(history: readonly Tau3Message[]): void {
  let expected = 0;
  let requestor: Requestor | null = null;
  for (const message of history) {
    if (message.role === "tool") {
      checkAnswer(message, { expected, requestor });
      expected--;
      continue;
    }
    if (!hasText(message) && message.toolCalls === null) {
      throw new RaisedError("ValueError", "A message of the history is empty");
    }
    if (message.toolCalls === null) {
      requestor = null;
      continue;
    }
    if (expected > 0) {
      throw new RaisedError(
        "ValueError",
        `${expected} answers of the history are missing`,
      );
    }
    expected = message.toolCalls.length;
    requestor = message.role;
  }
}

function checkAnswer(
  answer: ToolMessage,
  { expected, requestor }: { expected: number; requestor: Requestor | null },
): void {
  if (expected !== 0 && requestor === answer.requestor) return;
  throw new RaisedError(
    "ValueError",
    `The answer "${answer.id}" of the history belongs to no call`,
  );
}
