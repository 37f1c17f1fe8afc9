/** Runs Hugging Face transformers in one Python process for all test cases of a file. */

import { printPythonJson } from "../../env/python/python_json.ts";
import type { Message, ToolSchema } from "../../env/types.ts";
import { askPython } from "./ask_python.ts";

/** A conversation for transformers to render. */
export interface ConversationCase {
  readonly name: string;
  /** The Jinja source of the chat template. */
  readonly template: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSchema[];
  /** Additional variables for the template. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Whether to also render the prompt before each answer. Default: `false`. */
  readonly prompts?: boolean;
}

/**
 * A conversation as transformers renders it. A generation prompt is added unless the conversation ends with an answer.
 */
export interface ConversationAnswer {
  /** The text that `apply_chat_template(tokenize=False)` returns. */
  readonly text: string;
  /**
   * The token ids that `apply_chat_template(tokenize=True)` returns with the fast tokenizer, which parses control tokens
   * in the messages' text.
   */
  readonly ids: readonly number[];
  /** Whether the slow tokenizer, written in Python, returns the same ids. */
  readonly slow: boolean;
  /** The token ids that the tokenizer returns if it treats control tokens in the messages' text as plain text. */
  readonly guarded: readonly number[];
  /**
   * The token ids of the prompt before each answer, with control tokens in the messages' text treated as plain text;
   * empty unless requested.
   */
  readonly prompts: readonly (readonly number[])[];
}

/** The results of transformers for texts and conversations, in the order of the test cases. */
export interface TransformersAnswers {
  readonly texts: readonly (readonly number[])[];
  readonly conversations: readonly ConversationAnswer[];
}

/**
 * Runs transformers on texts and conversations.
 * @throws {AssertionError} If Python fails. The message contains its stderr.
 */
export async function askTransformers(cases: {
  /** The directory of the model whose tokenizer is used. */
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

/** Converts a message to the format that OpenAI's clients use. */
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
