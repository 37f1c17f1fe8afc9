/**
 * Creates views of stored conversations: the messages, their calls, and the agent's action to which each message
 * belongs.
 */

import {
  formatPythonJson,
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import type { CallView, MessageView } from "./protocol.ts";

/** The role of an error message sent to an agent whose answer could not be parsed. */
export const PARSE_ERROR = "parse_error";

/** An action of the agent and its observation. */
export interface TurnView {
  /** The tool's name, or `null` if the agent sent a message. */
  readonly name: string | null;
  /** The arguments as Python JSON, or the text of the agent's message. */
  readonly what: string;
  readonly call: JsonObject | null;
  /** The number of calls that follow this call in the same message. Each of these calls is a separate turn. */
  readonly beside: number;
  readonly observation: string;
  /** The calls that the user made before replying, as stored. Default: none. */
  readonly userCalls?: readonly JsonObject[];
  /** In the first turn, the calls that the user made before their first message. Default: none. */
  readonly openingCalls?: readonly JsonObject[];
}

/** Parses a JSON array of objects, such as messages or turns. Members that are not objects are dropped. */
export function readObjects(json: string): JsonObject[] {
  const value = parsePythonJson(json);
  return Array.isArray(value)
    ? value.filter((item) => item instanceof Map)
    : [];
}

/**
 * Returns the agent's actions, each with its observation.
 * @param turns The turns as they are stored.
 */
export function turnsOf(turns: readonly JsonObject[]): TurnView[] {
  return turns.map((turn) => {
    const action = objectIn(turn, "action");
    const answer = objectIn(turn, "observation");
    const observation = stringIn(answer, "content");
    const call = action.get("call");
    const userCalls = listIn(answer, "userCalls");
    const openingCalls = listIn(turn, "openingCalls");
    const ofUser = {
      ...userCalls && { userCalls },
      ...openingCalls && { openingCalls },
    };
    if (!(call instanceof Map)) {
      const what = stringIn(action, "content");
      return {
        name: null,
        what,
        call: null,
        beside: 0,
        observation,
        ...ofUser,
      };
    }
    const name = stringIn(call, "name");
    return {
      ...ofUser,
      name,
      what: printPythonJson(call.get("arguments") ?? new Map()),
      call,
      beside: listIn(action, "beside")?.length ?? 0,
      observation,
    };
  });
}

/**
 * Returns the messages of a conversation, each with the turn to which it belongs. Each call by the user and its result
 * are added as two messages.
 */
export function messagesOf(
  messages: readonly JsonObject[],
  turns: readonly TurnView[],
): MessageView[] {
  const spoken = messages.filter((message) =>
    stringIn(message, "role") === "assistant"
  );
  // An unparsable answer is a message without a turn. If there are none, messages and turns match in order.
  const beside = turns.reduce((sum, turn) => sum + turn.beside, 0);
  const isOneToOne = spoken.length === turns.length - beside;
  let next = 0;
  let current: number | null = null;
  let isUnread = false;
  let isFirst = true;
  /** The number of calls in the agent's last message that follow the call of the turn `current`. */
  let left = 0;
  let isAnswered = false;
  return messages.flatMap((message): MessageView | MessageView[] => {
    const view = messageOf(message);
    if (isUnread && isParseError(view)) {
      return { ...view, role: PARSE_ERROR, turn: null };
    }
    isUnread = false;
    if (view.role === "assistant") {
      const turn = turns[next];
      const isTurn = turn !== undefined &&
        (isOneToOne || isActionOf(view, turn));
      current = isTurn ? next : null;
      if (isTurn) next += 1 + turn.beside;
      isUnread = !isTurn;
      left = isTurn ? turn.beside : 0;
      isAnswered = false;
      return { ...view, turn: current };
    }
    if (isAnswered && view.role === "tool" && current !== null && left > 0) {
      left--;
      current++;
    }
    isAnswered = view.role === "tool";
    const own = { ...view, turn: view.role === "system" ? null : current };
    if (view.role !== "user") return own;
    const calls = isFirst
      ? turns[0]?.openingCalls
      : turns[current ?? -1]?.userCalls;
    isFirst = false;
    return [...(calls ?? []).flatMap((made) => userCall(made, current)), own];
  });
}

/** Returns two messages that show a call by the user and its result. The agent sees neither of them. */
function userCall(made: JsonObject, turn: number | null): MessageView[] {
  const call = objectIn(made, "call");
  const name = stringIn(call, "name");
  const own = { content: "", thought: "", calls: [], name: null, turn };
  return [
    { ...own, role: "user", calls: [callOf(name, call.get("arguments"))] },
    { ...own, role: "tool", content: stringIn(made, "content"), name },
  ];
}

/** Returns the text of all messages and calls, for full-text search. Text that is not JSON is returned unchanged. */
export function plainText(messages: string): string {
  let objects: JsonObject[];
  try {
    objects = readObjects(messages);
  } catch {
    return messages;
  }
  return objects.map((message) => {
    const calls = messageOf(message).calls
      .map((call) => [call.name, ...call.arguments.flat()].join(" "));
    return [stringIn(message, "content"), ...calls].join("\n");
  }).join("\n");
}

/** Returns the view of a call, with its arguments as separate values. */
export function callOf(name: string, args: JsonValue | undefined): CallView {
  if (!(args instanceof Map)) {
    const isMissing = args === undefined || args === null;
    return { name, arguments: isMissing ? [] : [["", pretty(args)]] };
  }
  return {
    name,
    arguments: [...args].map(([key, value]) => [key, pretty(value)]),
  };
}

/** Formats a value as Python JSON, with indentation if it is nested. */
export function pretty(value: JsonValue): string {
  const isNested = (value instanceof Map && value.size > 0) ||
    (Array.isArray(value) && value.some((item) => typeof item === "object"));
  return isNested
    ? formatPythonJson(value)
    : printPythonJson(value, { ensureAscii: false });
}

function messageOf(message: JsonObject): MessageView {
  const calls = message.get("toolCalls");
  return {
    role: stringIn(message, "role"),
    content: stringIn(message, "content"),
    thought: stringIn(message, "thought"),
    calls: (Array.isArray(calls) ? calls : []).filter((call) =>
      call instanceof Map
    ).map((call) => callOf(stringIn(call, "name"), call.get("arguments"))),
    name: message.has("name") ? stringIn(message, "name") : null,
    turn: null,
  };
}

/** Checks whether a message reports a parse error to the agent. Such messages are recorded with the role `user`. */
function isParseError({ role, content }: MessageView): boolean {
  return role === "user" && content.startsWith("Error: ");
}

function isActionOf(message: MessageView, turn: TurnView): boolean {
  return turn.name === null
    ? message.calls.length === 0 && message.content.includes(turn.what)
    : message.calls.some(({ name }) => name === turn.name) ||
      (message.calls.length === 0 && message.content.includes(turn.name));
}

/**
 * Returns a member of an object as a string. A value of another type is formatted as JSON; a missing member or `null`
 * becomes an empty string.
 */
export function stringIn(object: JsonObject, key: string): string {
  const value = object.get(key);
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : printPythonJson(value);
}

/** Returns the objects in a member of an object, or `undefined` if the member is not a list. */
function listIn(
  object: JsonObject,
  key: string,
): readonly JsonObject[] | undefined {
  const list = object.get(key);
  return Array.isArray(list)
    ? list.filter((item) => item instanceof Map)
    : undefined;
}

function objectIn(object: JsonObject, key: string): JsonObject {
  const value = object.get(key);
  return value instanceof Map ? value : new Map();
}
