/** The tool-calling agent: a model that is told the policy and the tools, and answers with a call or with words. */

import { fillPrompt } from "../prompts.ts";
import type { Agent, ChatModel, Dataset, Message } from "../types.ts";
import { type AnswerForm, ChatSession, withHistory } from "./_chat_session.ts";

/**
 * What the prompt holds: `full` is the policy as system message and the tools; `none` nothing, for a policy
 * that learns both from demonstrations.
 */
export type PromptStyle = "full" | "none";

/** Settings of {@linkcode toolCallingAgent}. */
export interface ToolCallingOptions {
  readonly model: ChatModel;
  /** Default: `full`. */
  readonly prompt?: PromptStyle;
}

/**
 * Acts on the model's first tool call, or on all where the dataset's rules run them; one a turn. An answer without a
 * call is said to the user.
 * An answer that cannot be read is answered by a message that says why, and the model may try again.
 */
export function toolCallingAgent(options: ToolCallingOptions): Agent {
  const { model, prompt = "full" } = options;
  return {
    name: "tool-calling",
    model: model.name,
    start(start) {
      const { rules, tools } = start.dataset;
      const chat = model.chat({
        tools,
        toolsInPrompt: prompt === "full",
        seed: start.seed,
        ...rules !== undefined && { allCalls: true },
      });
      const form = rules === undefined ? toolForm : wholeForm;
      const opening = withHistory(openingMessages(start, prompt), {
        history: start.history,
        form,
      });
      return new ChatSession(chat, opening, form);
    },
  };
}

/** The messages before the first answer. */
export function openingMessages(
  { dataset, firstMessage }: {
    readonly dataset: Pick<Dataset, "policy" | "prompts" | "rules">;
    readonly firstMessage: string;
  },
  prompt: PromptStyle,
): Message[] {
  const { rules } = dataset;
  const said: Message[] = [
    ...rules === undefined
      ? []
      : [{ role: "assistant" as const, content: rules.greeting }],
    { role: "user", content: firstMessage },
  ];
  if (prompt === "none") return said;
  const content = fillPrompt(dataset.prompts().agent.toolCallingSystem, {
    wiki: dataset.policy,
  });
  return [{ role: "system", content }, ...said];
}

/** Calls are the model's tool calls. Only the first of an answer is kept: it alone is acted on and answered. */
export const toolForm: AnswerForm = {
  answer: ({ content, toolCalls }) =>
    toolCalls.length === 0
      ? { role: "assistant", content }
      : { role: "assistant", content, toolCalls: toolCalls.slice(0, 1) },
  read: ({ content, toolCalls: [call] }) => ({
    action: call === undefined
      ? { type: "respond", content }
      : { type: "tool", call },
  }),
  observation({ source, content }, action) {
    if (source !== "tool" || action.type !== "tool") {
      return { role: "user", content };
    }
    const { id, name } = action.call;
    return { role: "tool", name, toolCallId: id, content };
  },
  written: (action) =>
    action.type === "respond"
      ? { role: "assistant", content: action.content }
      : { role: "assistant", content: "", toolCalls: [action.call] },
};

/** As {@linkcode toolForm}, but a message is kept whole: all its calls, and what is said beside them. */
const wholeForm: AnswerForm = {
  ...toolForm,
  answer: ({ content, toolCalls }) => ({
    role: "assistant",
    content,
    ...toolCalls.length > 0 && { toolCalls },
  }),
  read: ({ content, toolCalls: [call, ...beside] }) => ({
    action: call === undefined ? { type: "respond", content } : {
      type: "tool",
      call,
      ...content.trim() !== "" && { content },
      ...beside.length > 0 && { beside },
    },
  }),
  written: (action) =>
    action.type === "respond" ? toolForm.written(action) : {
      role: "assistant",
      content: action.content ?? "",
      toolCalls: [action.call],
    },
};
