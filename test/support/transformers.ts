/** Hugging Face transformers, asked by one Python process for all of a test file's cases. */

import { printPythonJson } from "../../env/python/python_json.ts";
import type { Message, ToolSchema } from "../../env/types.ts";
import { askPython } from "./ask_python.ts";

/** A conversation to be rendered. */
export interface ConversationCase {
  readonly name: string;
  /** The template's Jinja source. */
  readonly template: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSchema[];
  /** Further variables of the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether to render what stands before each answer too. Default: false. */
  readonly prompts?: boolean;
}

/** What transformers makes of a conversation; up to where an answer begins, unless it ends in one. */
export interface ConversationAnswer {
  /** `apply_chat_template(tokenize=False)`. */
  readonly text: string;
  /** `apply_chat_template(tokenize=True)` with the fast tokenizer: what someone wrote becomes control, too. */
  readonly ids: readonly number[];
  /** Whether the tokenizer in Python gives the same ids. */
  readonly slow: boolean;
  /** The ids where what someone wrote is text. */
  readonly guarded: readonly number[];
  /** The same of what stands before each answer; empty unless asked for. */
  readonly prompts: readonly (readonly number[])[];
}

/** What transformers makes of texts and conversations, in the order of the cases. */
export interface TransformersAnswers {
  readonly texts: readonly (readonly number[])[];
  readonly conversations: readonly ConversationAnswer[];
}

/**
 * Asks transformers.
 * @throws {AssertionError} If Python fails, with what it said.
 */
export async function askTransformers(cases: {
  /** The model's directory. */
  readonly directory: string;
  readonly texts: readonly string[];
  readonly conversations: readonly ConversationCase[];
}): Promise<TransformersAnswers> {
  const input = JSON.stringify({
    ...cases,
    conversations: cases.conversations.map(toPython),
  });
  return await askPython("ask_transformers.py", input) as TransformersAnswers;
}

function toPython(one: ConversationCase): Record<string, unknown> {
  return {
    template: one.template,
    messages: one.messages.map(messageToPython),
    tools: one.tools?.length ? one.tools : null,
    variables: one.variables ?? {},
    prompts: one.prompts ?? false,
  };
}

/** A message as OpenAI's clients send it. */
function messageToPython(message: Message): Record<string, unknown> {
  const { role, content } = message;
  if (role === "tool") {
    const { name, toolCallId } = message;
    return { role, content, name, tool_call_id: toolCallId };
  }
  if (role !== "assistant" || !message.toolCalls?.length) {
    return { role, content };
  }
  const calls = message.toolCalls.map(({ id, name, arguments: given }) => ({
    id,
    type: "function",
    function: { name, arguments: printPythonJson(given) },
  }));
  return { role, content, tool_calls: calls };
}
