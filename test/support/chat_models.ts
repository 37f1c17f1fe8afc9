/** Provides fake chat models that need no server. */

import type { ChatModel, ChatReply, Message } from "../../env/types.ts";

/** A recorded request to a fake model. */
export interface Asked {
  readonly seed: number;
  /** All messages of the conversation before the answer. */
  readonly messages: readonly Message[];
}

/** Creates a model that computes its answers with a function and records its requests in `asked`. */
export function answeringModel(
  answer: (asked: Asked) => string | Partial<ChatReply>,
): ChatModel & { readonly asked: readonly Asked[] } {
  const asked: Asked[] = [];
  return {
    name: "answering",
    asked,
    chat({ seed }) {
      const history: Message[] = [];
      return {
        send(messages) {
          return Promise.try(() => {
            history.push(...messages);
            const one = { seed, messages: history.slice() };
            asked.push(one);
            const given = answer(one);
            const reply: ChatReply = {
              content: "",
              toolCalls: [],
              finishReason: "stop",
              usage: {
                calls: 1,
                retries: 0,
                promptTokens: 10,
                cachedTokens: 0,
                completionTokens: 1,
                cost: 0.5,
              },
              ...(typeof given === "string" ? { content: given } : given),
            };
            const { content, toolCalls } = reply;
            history.push({ role: "assistant", content, toolCalls });
            return reply;
          });
        },
        close() {},
      };
    },
  };
}

/** Creates a model that answers with the given texts in order, and repeats the last one for all later requests. */
export function sayingChatModel(
  ...texts: readonly string[]
): ReturnType<typeof answeringModel> {
  let turn = 0;
  return answeringModel(() => texts[Math.min(turn++, texts.length - 1)] ?? "");
}
