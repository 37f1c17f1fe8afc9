/**
 * Tells whether a template keeps what it has rendered.
 *
 * Some templates render an earlier message otherwise once later ones are there: hybrid Qwen3 drops the
 * `<think>` block of an answer when the user speaks again, others trim white space or move the tools to
 * the last message. A policy that trains must see what it saw when it sampled, so {@linkcode TokenConversation}
 * keeps every token as it was. This check says where a server that renders anew would show something else.
 */

import { PolicyError } from "../errors.ts";
import { Float, type JsonObject } from "../python/python_json.ts";
import type { Message, ToolSchema } from "../types.ts";
import type { Answer, ChatTemplate } from "./chat_template.ts";
import { unmark } from "./guard.ts";

/** Whether the incremental rendering is the full one. */
export type PrefixReport =
  | { readonly kind: "prefix" }
  | {
    readonly kind: "rewritten";
    /** Index of the first message of what is rendered otherwise: an answer, or all that stands between two. */
    readonly message: number;
    /** What the incremental rendering has from there, cut to 80 characters. */
    readonly kept: string;
    /** What the full rendering has there, cut to 80 characters. */
    readonly rendered: string;
  };

/**
 * Compares the incremental rendering of a conversation with the full one, to the character.
 * @param messages A conversation that begins with no answer.
 * @throws {PolicyError} If the template refuses the messages.
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
 * Checks a template by a conversation with everything that templates are known to rewrite: a system message,
 * thoughts, a tool call and its result, white space at the ends, a second question. A model that is not to think
 * has no thoughts: its answers are probed without.
 * @throws {PolicyError} If the template refuses the messages.
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

/** Whether an answer continues the template's generation prompt. */
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
  /** Index of the first message that the part renders. */
  readonly message: number;
}

/** The incremental rendering: openings, answers and what comes between them. */
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
