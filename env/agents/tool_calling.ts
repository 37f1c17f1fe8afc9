/**
 * Implements the tool-calling agent: a model that sees the policy and the tools, and answers with a tool call or a
 * message.
 */

import { fillPrompt } from "../prompts.ts";
import type {
  Agent,
  AgentStart,
  ChatModel,
  Dataset,
  Message,
} from "../types.ts";
import { type AnswerForm, ChatSession, withHistory } from "./_chat_session.ts";

/**
 * The content of the prompt. `full`: the domain's policy as the system message, and the tools. `none`: neither, for a
 * model that learns both from demonstrations.
 */
export type PromptStyle = "full" | "none";

/** Options for {@linkcode toolCallingAgent}. */
export interface ToolCallingOptions {
  readonly model: ChatModel;
  /** The content of the prompt. Default: `full`. */
  readonly prompt?: PromptStyle;
}

/**
 * Creates an agent that acts on the model's first tool call or, if the dataset has its own conversation rules, on every
 * call in order. An answer without a call is sent to the user, if the episode has a user. If an answer cannot be
 * parsed, the model is told why and may correct it.
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
        ...rules?.solo !== undefined && { mustCall: true },
      });
      const form = rules === undefined ? toolForm : allCallsForm;
      const opening = withHistory(openingOf(start, prompt), {
        history: start.history,
        form,
      });
      return new ChatSession(chat, opening, form);
    },
  };
}

/** Returns an agent's opening messages, for episodes with and without a user. */
export function openingOf(start: AgentStart, prompt: PromptStyle): Message[] {
  const { dataset: { rules }, task } = start;
  if (rules?.solo === undefined) return openingMessages(start, prompt);
  return prompt === "none"
    ? []
    : [{ role: "system", content: rules.solo.system(task) }];
}

/** Returns the messages that precede the agent's first answer in an episode with a user. */
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

/** The form of an agent whose actions are tool calls. Only the first call of an answer is kept, run and answered. */
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

/** The same form as {@linkcode toolForm}, but with all calls of an answer and the text that accompanies them. */
const allCallsForm: AnswerForm = {
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
