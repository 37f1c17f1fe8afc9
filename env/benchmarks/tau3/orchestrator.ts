/**
 * Runs τ³-bench's half-duplex conversation: the agent and the user take turns, both may call tools, and rules determine
 * when the conversation ends. The orchestrator is a synchronous state machine: the caller reads who speaks next, and
 * passes that participant's reply to the orchestrator.
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

/** The agent's greeting before the user's first message. */
export const GREETING = "Hi! How can I help you today?";

/** The tokens with which the user ends a conversation. */
export const USER_STOP_TOKENS: readonly string[] = [
  "###STOP###",
  "###TRANSFER###",
  "###OUT-OF-SCOPE###",
];

/** The token with which a solo agent ends its work. */
export const SOLO_STOP_TOKEN = "###STOP###";

/** The tool that a solo agent calls to end its work. */
export const SOLO_STOP_TOOL = "done";

/** Options for {@linkcode Orchestrator}: the world and the rules of a conversation. */
export interface OrchestratorOptions {
  readonly source: Pick<Tau3Bundle, "domain" | "part" | "databases">;
  readonly task: Tau3Task;
  /** The number of steps after which the conversation ends; see {@linkcode Orchestrator.steps}. Default: 200. */
  readonly maxSteps?: number;
  /** The number of tool errors after which the conversation ends. Default: 10. */
  readonly maxErrors?: number;
  /** Whether the agent acts alone, with the tools of both sides. Default: false. */
  readonly solo?: boolean;
  /** Whether a message with both text and calls ends the conversation. Default: false. */
  readonly validateCommunication?: boolean;
}

/** A participant's reply. */
export interface Reply {
  readonly content: string | null;
  /** The calls. The orchestrator adds their requestor. */
  readonly toolCalls?: readonly Omit<Tau3Call, "requestor">[] | null;
  /** The cost of the reply in US dollars; `null` if it is unknown. Default: `null`. */
  readonly cost?: number | null;
}

/** The next speaker, or the reason why the conversation ended. */
export type Next =
  | { readonly speaker: Requestor }
  | { readonly ended: TerminationReason };

/** The sender or receiver of a message. */
type Role = "agent" | "user" | "env";

/** A running conversation. */
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
   * Sets up the world, and starts the conversation or continues the task's history.
   * @throws {RaisedError} If the task's history cannot be replayed.
   * @throws {ToolError} If a set-up call throws a `ToolError`.
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

  /**
   * The number of steps so far. A participant's message is one step, and so are the results of all its calls together.
   * The first message and the task's history do not count.
   */
  get steps(): number {
    return this.#steps;
  }

  /** The number of tool errors. */
  get errors(): number {
    return this.#errors;
  }

  /** The next speaker, or the reason why the conversation ended. */
  get next(): Next {
    if (this.#ended !== undefined) return { ended: this.#ended };
    return { speaker: this.#to === "user" ? "user" : "assistant" };
  }

  /**
   * The messages visible to the agent: its own messages, the user's messages without calls, and the results of the
   * agent's calls.
   */
  get agentHistory(): Tau3Message[] {
    return this.#messages.filter((message) =>
      message.role === "tool"
        ? message.requestor === "assistant"
        : message.role === "assistant" || message.toolCalls === null
    );
  }

  /**
   * The messages visible to the user: their own messages, the agent's messages without calls, and the results of the
   * user's calls.
   */
  get userHistory(): Tau3Message[] {
    return this.#messages.filter((message) =>
      message.role === "tool"
        ? message.requestor === "user"
        : message.role === "user" || message.toolCalls === null
    );
  }

  /** The total cost of each side's messages in US dollars; `null` if the cost of a message is unknown. */
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
   * Accepts the next speaker's reply and runs its calls.
   * @throws {RaisedError} If the reply has neither text nor calls.
   * @throws {TypeError} If the conversation is over.
   */
  reply(reply: Reply): void {
    if (this.#ended !== undefined) {
      throw new TypeError("Cannot reply: the conversation is over");
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

  /** Ends the conversation for a reason outside its rules, unless it has already ended. */
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
      `The message of the ${message.role} has neither text nor calls`,
    );
  }

  /** Delivers a message, which may end the conversation. */
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

  /** Skips the calls of a solo agent's first message if this message also ends the conversation. */
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

  /** Runs the pending calls, and delivers the results to the participant that made them. */
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
      throw new RaisedError("ValueError", "The history ends with a tool call");
    }
  }

  /**
   * Ends the conversation if a limit is reached. Limits take effect only between turns, and override any other reason
   * for ending.
   */
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
 * Creates the reply for the calls in one agent message. If a solo agent's message also has the stop token, its calls
 * are dropped, because upstream does not run them and cannot evaluate a conversation with unanswered calls.
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

/**
 * Validates a task's history.
 * @throws {RaisedError} If a message is empty, or tool results do not match the calls.
 */
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
      throw new RaisedError(
        "ValueError",
        "A message in the history has neither text nor calls",
      );
    }
    if (message.toolCalls === null) {
      requestor = null;
      continue;
    }
    if (expected > 0) {
      throw new RaisedError(
        "ValueError",
        `The history lacks the results of ${expected} tool call${
          expected === 1 ? "" : "s"
        }`,
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
    `The tool result "${answer.id}" in the history does not match a call`,
  );
}
