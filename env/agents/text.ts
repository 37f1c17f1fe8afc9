/**
 * Implements agents whose actions are text: `act` writes only the action, and `react` also writes a thought before it.
 * These agents work with any chat model; tool calling is not required.
 */

import { fillPrompt } from "../prompts.ts";
import { printPythonJson } from "../python/python_json.ts";
import { fromPlain } from "../python/python_value.ts";
import type {
  Agent,
  ChatModel,
  Dataset,
  Message,
  ToolSchema,
} from "../types.ts";
import { type AnswerForm, ChatSession, withHistory } from "./_chat_session.ts";
import { readTextAction, writeTextAction } from "./text_action.ts";
import type { PromptStyle } from "./tool_calling.ts";

/** A kind of text agent: `act` writes only actions, and `react` also writes a thought before each action. */
export type TextStrategy = "act" | "react";

/** Options for {@linkcode textAgent}. */
export interface TextAgentOptions {
  readonly model: ChatModel;
  readonly strategy: TextStrategy;
  /** The content of the prompt. Default: `full`. */
  readonly prompt?: PromptStyle;
  /** Whether to send answers whose action is not JSON to the user, as τ-bench does. Default: false. */
  readonly compat?: boolean;
}

/**
 * Creates an agent that writes actions as text and receives tool results as user messages. The user does not see its
 * thoughts, unless `compat` is set and an answer is not JSON.
 */
export function textAgent(options: TextAgentOptions): Agent {
  const { model, strategy, prompt = "full", compat = false } = options;
  return {
    name: strategy,
    model: model.name,
    start({ dataset, firstMessage, seed, history }) {
      const { actionMarker, observationPrefix } = dataset.prompts().agent;
      const opening: Message[] = [{ role: "user", content: firstMessage }];
      if (prompt === "full") {
        const content = textSystemPrompt(dataset, strategy);
        opening.unshift({ role: "system", content });
      }
      // The prompt text lists the tools; without a `tools` parameter, models write plain text.
      const chat = model.chat({ tools: [], seed });
      const form = textForm({
        marker: actionMarker,
        observationPrefix,
        compat,
      });
      return new ChatSession(
        chat,
        withHistory(opening, { history, form }),
        form,
      );
    },
  };
}

/** Returns the system prompt: the policy, the tools as Python JSON, and the answer format. */
export function textSystemPrompt(
  dataset: Pick<Dataset, "policy" | "tools" | "prompts">,
  strategy: TextStrategy,
): string {
  const { textSystem, actInstruction, reactInstruction } =
    dataset.prompts().agent;
  return fillPrompt(textSystem, {
    wiki: dataset.policy,
    tools_json: toolsJson(dataset.tools),
    agent_instruction: strategy === "act" ? actInstruction : reactInstruction,
  });
}

/** Converts a tool result to a user message. */
export function textObservation(prefix: string, content: string): Message {
  return { role: "user", content: `${prefix}${content}` };
}

function textForm(
  { marker, observationPrefix, compat }: {
    marker: string;
    observationPrefix: string;
    compat: boolean;
  },
): AnswerForm {
  let answers = 0;
  return {
    answer: ({ content }) => ({ role: "assistant", content }),
    read: ({ content }) =>
      readTextAction(content, { marker, compat, index: answers++ }),
    observation: ({ content }, action) =>
      action.type === "tool"
        ? textObservation(observationPrefix, content)
        : { role: "user", content },
    written: (action) => ({
      role: "assistant",
      content: writeTextAction(action, { marker }),
    }),
  };
}

const printedTools = new WeakMap<readonly ToolSchema[], string>();

function toolsJson(tools: readonly ToolSchema[]): string {
  const known = printedTools.get(tools);
  if (known !== undefined) return known;
  const text = printPythonJson(fromPlain(tools));
  printedTools.set(tools, text);
  return text;
}
