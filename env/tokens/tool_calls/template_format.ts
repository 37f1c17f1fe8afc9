/**
 * Detects the format in which a chat template writes tool calls. The model was trained on this format, so its answers
 * are parsed with the same format.
 */

import { PolicyError } from "../../errors.ts";
import type { JsonObject } from "../../python/python_json.ts";
import type { Message, ToolSchema } from "../../types.ts";
import type { ChatTemplate } from "../chat_template.ts";
import { TOOL_CALL_PARSERS } from "./parse_tool_calls.ts";
import { knownTools, type ToolCallFormat } from "./tool_call_format.ts";

const NAME = "get_order_details";
const VALUE = "#W0000000";
const ARGUMENTS: JsonObject = new Map([["order_id", VALUE]]);

const TOOL: ToolSchema = {
  type: "function",
  function: {
    name: NAME,
    description: "Get an order.",
    parameters: {
      type: "object",
      properties: { order_id: { type: "string", description: "Such as #W1." } },
      required: ["order_id"],
    },
  },
};

const QUESTION = "Where is it?";
const MESSAGES: readonly Message[] = [
  { role: "user", content: QUESTION },
  {
    role: "assistant",
    content: "",
    toolCalls: [{ id: "call00000", name: NAME, arguments: ARGUMENTS }],
  },
];

/**
 * Renders a question and an answer with one call, and returns the text after the question, or `null` if the template
 * does not render calls.
 */
export function renderedCall(template: ChatTemplate): string | null {
  try {
    const text = template.render(MESSAGES, { tools: [TOOL] });
    const answer = text.slice(text.lastIndexOf(QUESTION) + QUESTION.length);
    return answer.includes(NAME) && answer.includes(VALUE) ? answer : null;
  } catch (error) {
    if (error instanceof PolicyError) return null;
    throw error;
  }
}

/** Checks whether the parser for `format` restores the call from the template's rendering. */
export function readsCall(format: ToolCallFormat, rendered: string): boolean {
  // The template writes the recipient before the channel, and the model writes it after; both are the same call.
  if (format === "gpt-oss") return rendered.includes(` to=functions.${NAME}`);
  const parse = TOOL_CALL_PARSERS[format];
  const { calls: [call, ...others] } = parse(rendered, knownTools([TOOL]));
  return call?.name === NAME && others.length === 0 &&
    call.parameters instanceof Map && call.parameters.size === 1 &&
    call.parameters.get("order_id") === VALUE;
}

/** The formats to try, strictest first: `hermes` also accepts everything that `qwen25` accepts. */
const ORDER: readonly ToolCallFormat[] = [
  "qwen25",
  "qwen3_coder",
  "glm45",
  "deepseekv3",
  "gpt-oss",
  "hermes",
  "pythonic",
];

const known = new WeakMap<ChatTemplate, ToolCallFormat | null>();

/**
 * Detects the format of a template. Returns `null` if the template does not render calls, or if no parser can read its
 * calls.
 */
export function templateFormat(template: ChatTemplate): ToolCallFormat | null {
  const found = known.get(template);
  if (found !== undefined) return found;
  const rendered = renderedCall(template);
  const format = rendered === null
    ? null
    : ORDER.find((one) => readsCall(one, rendered)) ?? null;
  known.set(template, format);
  return format;
}

/** The format to use if the template's format cannot be detected. */
export const DEFAULT_FORMAT: ToolCallFormat = "qwen25";
