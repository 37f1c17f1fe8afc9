/**
 * Agents whose actions are text: `act` writes the action alone, `react` a thought before it. Any model that
 * writes can play them; none needs tool calls.
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

/** Which of them. */
export type TextStrategy = "act" | "react";

/** Settings of {@linkcode textAgent}. */
export interface TextAgentOptions {
  readonly model: ChatModel;
  readonly strategy: TextStrategy;
  /** Default: `full`. */
  readonly prompt?: PromptStyle;
  /** Say to the user what cannot be read, as τ-bench does. Default: false. */
  readonly compat?: boolean;
}

/** An agent that writes its actions, and reads the tools' answers as messages. Its thoughts stay its own. */
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
      // The tools are in the text; a model that is given none writes plain text.
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

/** The system prompt: policy, tools as Python prints them, and the form of the answers. */
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

/** A tool's answer as a message of the user. */
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
