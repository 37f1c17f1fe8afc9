/**
 * Converts a two-sided conversation to the format of the episode store: the messages that the agent saw, and its turns
 * with the user's calls in between.
 */

import { fromPlain, type JsonObject } from "../../../python/python_value.ts";
import type {
  AnsweredCall,
  Message,
  Observation,
  ToolCall,
  Turn,
} from "../../../types.ts";
import { SOLO_STOP_TOKEN, SOLO_STOP_TOOL } from "../orchestrator.ts";
import type {
  ParticipantMessage,
  Requestor,
  Tau3Message,
} from "../tau3_message.ts";

/** A conversation in the format of the episode store. */
export interface StoredConversation {
  readonly messages: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
}

/** A participant's message with the results of its calls. */
interface SpokenMessage {
  readonly by: Requestor;
  readonly content: string | null;
  /** The calls; `null` if the message has none. */
  readonly made: readonly AnsweredCall[] | null;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A turn whose observation is not yet complete. */
interface OpenTurn extends Omit<Turn, "observation"> {
  readonly observation: Writable<Observation>;
}

/** A conversation's settings, and how it ended. */
interface ConversationKind {
  /** The reason why the conversation ended; `undefined` if episodes have no equivalent reason. */
  readonly end: Observation["end"] | undefined;
  /** Whether the agent acted alone. The conversation then does not begin with a greeting. */
  readonly isSolo: boolean;
}

/** Converts a conversation to the format of the episode store. */
export function storedConversation(
  messages: readonly Tau3Message[],
  { end, isSolo }: ConversationKind,
): StoredConversation {
  const told: Message[] = [];
  const turns: OpenTurn[] = [];
  let made: AnsweredCall[] = [];
  let openingCalls: readonly AnsweredCall[] = [];
  let isOpen = isSolo;

  function takeTurn(turn: OpenTurn): void {
    const calls = turns.length === 0 ? openingCalls : [];
    turns.push({ ...turn, ...calls.length > 0 && { openingCalls: calls } });
  }

  function userSaid({ content, made: calls }: SpokenMessage): void {
    made.push(...calls ?? []);
    if (calls !== null) return;
    told.push({ role: "user", content: content ?? "" });
    answer(content ?? "");
  }

  /**
   * Records the user's text and calls as the reply to the agent's last message. Before the first turn, only the calls
   * are recorded, as opening calls.
   */
  function answer(content: string): void {
    const last = turns.at(-1)?.observation;
    if (last?.source === "user") {
      last.content = content;
      if (made.length > 0) last.userCalls = made;
    } else if (!isOpen) openingCalls = made;
    isOpen = true;
    made = [];
  }

  function agentSaid({ content, made: calls }: SpokenMessage): void {
    if (calls === null) {
      const words = content ?? "";
      const isGreeting = !isOpen && turns.length === 0;
      told.push({ role: "assistant", content: words });
      if (!isGreeting) takeTurn(spokenTurn(words));
      return;
    }
    isOpen = true;
    const toolCalls = calls.map(({ call }) => call);
    told.push({ role: "assistant", content: content ?? "", toolCalls });
    for (const turn of calledTurns(calls, content)) takeTurn(turn);
    told.push(...calls.map(({ call, content }): Message => ({
      role: "tool",
      name: call.name,
      toolCallId: call.id,
      content,
    })));
  }

  for (const one of spokenMessages(messages)) {
    if (one.by === "user") userSaid(one);
    else agentSaid(one);
  }
  if (made.length > 0) answer("");
  const last = turns.at(-1)?.observation;
  if (last !== undefined) {
    last.done = true;
    if (end !== undefined) last.end = end;
  }
  return {
    messages: fromPlain(told) as JsonObject[],
    turns: fromPlain(turns) as JsonObject[],
  };
}

/** Yields the participants' messages with the results of their calls. A call without a result gets an empty result. */
function* spokenMessages(
  messages: readonly Tau3Message[],
): Generator<SpokenMessage> {
  for (const [at, message] of messages.entries()) {
    if (message.role === "tool") continue;
    const { role, content, toolCalls } = message;
    const made = toolCalls?.map((call, i) => {
      const answer = messages[at + 1 + i];
      const isOf = answer?.role === "tool" && answer.id === call.id;
      return {
        call: plainCall(call),
        content: isOf ? answer.content ?? "" : "",
        error: isOf && answer.error,
      };
    });
    yield { by: role, content, made: made ?? null };
  }
}

/** Returns a call without its requestor. */
function plainCall({ id, name, arguments: args }: ToolCall): ToolCall {
  return { id, name, arguments: args };
}

function calledTurns(
  calls: readonly AnsweredCall[],
  said: ParticipantMessage["content"],
): OpenTurn[] {
  const [, ...others] = calls.map(({ call }) => call);
  return calls.map(({ call, content }, i) => ({
    action: {
      type: "tool",
      call,
      ...i === 0 && said !== null && said.trim() !== "" && { content: said },
      ...i === 0 && others.length > 0 && { beside: others },
    },
    observation: { source: "tool", content, done: false },
  }));
}

/** Converts an agent's text to a turn. A solo agent's stop token becomes a call to its stop tool. */
function spokenTurn(content: string): OpenTurn {
  if (content === SOLO_STOP_TOKEN) {
    const call = { id: "", name: SOLO_STOP_TOOL, arguments: new Map() };
    return {
      action: { type: "tool", call },
      observation: { source: "tool", content: "", done: false },
    };
  }
  return {
    action: { type: "respond", content },
    observation: { source: "user", content: "", done: false },
  };
}
