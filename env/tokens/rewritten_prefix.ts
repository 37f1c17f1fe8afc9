/**
 * Checks whether a template changes earlier text when messages are added.
 *
 * Some templates render earlier messages differently when later messages are present: Qwen3's hybrid models drop the
 * `<think>` block of an answer when the user replies, and other templates trim white space or move the tools to the
 * last message. A policy must be trained on the tokens that it saw when sampling, so {@linkcode TokenConversation}
 * keeps every token. This check reports where the tokens would differ if the whole conversation were rendered again, as
 * a chat server does.
 */

import { PolicyError } from "../errors.ts";
import { Float, type JsonObject } from "../python/python_json.ts";
import type { Message, ToolSchema } from "../types.ts";
import type { Answer, ChatTemplate } from "./chat_template.ts";
import { unmark } from "./guard.ts";

/**
 * The result of comparing the incremental rendering of a conversation with its full rendering. `prefix`: the full
 * rendering equals the incremental rendering or, if the conversation ends with an answer, begins with it. `rewritten`:
 * any other result.
 */
export type PrefixReport =
  | { readonly kind: "prefix" }
  | {
    readonly kind: "rewritten";
    /**
     * Index of the first message in the first part that differs. A part is an answer, or the messages between two
     * answers.
     */
    readonly message: number;
    /** The incremental rendering from the difference on, truncated to 80 characters. */
    readonly kept: string;
    /** The full rendering from the difference on, truncated to 80 characters. */
    readonly rendered: string;
  };

/**
 * Compares the incremental rendering of a conversation with its full rendering, character by character.
 * @param messages A conversation that does not begin with an answer.
 * @throws {PolicyError} If the template rejects the messages.
 */
export function checkPrefix(
  template: ChatTemplate,
  messages: readonly Message[],
  tools: readonly ToolSchema[] = [],
): PrefixReport {
  const parts = renderParts(template, messages, tools);
  const kept = parts.map(({ text }) => text).join("");
  const generationPrompt = messages.at(-1)?.role !== "assistant";
  const full = template.render(messages, { tools, generationPrompt });
  const at = firstDifference(kept, full);
  if (at === kept.length && (!generationPrompt || at === full.length)) {
    return { kind: "prefix" };
  }
  return {
    kind: "rewritten",
    message: messageAt(parts, at),
    kept: kept.slice(at, at + 80),
    rendered: full.slice(at, at + 80),
  };
}

/**
 * Checks a template with an example conversation. It contains everything that some templates change when messages are
 * added: a system message, thoughts, a tool call and its result, surrounding white space, and a second question.
 * Templates that disable thinking are checked without thoughts.
 * @throws {PolicyError} If the template rejects the messages.
 */
export function probeTemplate(
  template: ChatTemplate,
  tools: readonly ToolSchema[] = [],
): PrefixReport {
  const [, , thoughtful] = PROBE;
  const canThink = isAnswer(template, thoughtful!);
  const messages = PROBE.map((message) =>
    message === thoughtful && !canThink ? PLAIN_ANSWER : message
  );
  return checkPrefix(template, messages, tools);
}

/** Checks whether the template renders an answer as a continuation of its generation prompt. */
function isAnswer(template: ChatTemplate, message: Message): boolean {
  try {
    template.answer(message as Answer);
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

const PLAIN_ANSWER: Message = { role: "assistant", content: "Yes?" };
const PROBE_ARGUMENTS: JsonObject = new Map([["amount", new Float(2)]]);
const PROBE: readonly Message[] = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "<think>\nA guest.\n</think>\n\nYes?" },
  { role: "user", content: "Pay me" },
  {
    role: "assistant",
    content: "",
    toolCalls: [{ id: "call00001", name: "pay", arguments: PROBE_ARGUMENTS }],
  },
  { role: "tool", name: "pay", toolCallId: "call00001", content: "paid" },
  { role: "assistant", content: " Done. " },
  { role: "user", content: "Thanks" },
];

interface Part {
  readonly text: string;
  /** The index of the first message that the part renders. */
  readonly message: number;
}

/**
 * Renders the conversation incrementally, as a list of parts: the opening, the answers, and the text between answers.
 */
function renderParts(
  template: ChatTemplate,
  messages: readonly Message[],
  tools: readonly ToolSchema[],
): Part[] {
  const parts: Part[] = [];
  let from = 0;
  messages.forEach((message, index) => {
    if (message.role !== "assistant") return;
    parts.push(contextPart(template, { messages, tools, from, to: index }));
    parts.push({ text: unmark(template.answer(message)), message: index });
    from = index + 1;
  });
  if (from < messages.length) {
    const to = messages.length;
    parts.push(contextPart(template, { messages, tools, from, to }));
  }
  return parts;
}

function contextPart(
  template: ChatTemplate,
  { messages, tools, from, to }: {
    messages: readonly Message[];
    tools: readonly ToolSchema[];
    from: number;
    to: number;
  },
): Part {
  const context = messages.slice(from, to);
  const last = messages[from - 1];
  if (last?.role !== "assistant") {
    return { text: unmark(template.open(context, tools)), message: from };
  }
  const text = unmark(template.proceed(last, context));
  return { text: text.slice(template.endToken.length), message: from };
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at;
}

function messageAt(parts: readonly Part[], offset: number): number {
  let end = 0;
  for (const { text, message } of parts) {
    end += text.length;
    if (offset < end) return message;
  }
  return parts.at(-1)?.message ?? 0;
}
