/** Hugging Face transformers, asked by one Python process for all of a test file's cases. */

import { fileURLToPath } from "node:url";
import assert from "node:assert/strict";
import { printPythonJson } from "../../env/python/python_json.ts";
import type { Message, ToolSchema } from "../../env/types.ts";
import { testPython } from "./python.ts";

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
  const script = fileURLToPath(new URL("ask_transformers.py", import.meta.url));
  const child = new Deno.Command(testPython() ?? "python3", {
    args: ["-B", script],
    env: { HF_HUB_OFFLINE: "1", TOKENIZERS_PARALLELISM: "false" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = JSON.stringify({
    ...cases,
    conversations: cases.conversations.map(toPython),
  });
  const [output] = await Promise.all([
    child.output(),
    // Where Python ends early, what it said of it is what matters.
    new Blob([input]).stream().pipeTo(child.stdin).catch(() => {}),
  ]);
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  assert.equal(output.code, 0, decode(output.stderr));
  return JSON.parse(decode(output.stdout));
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
