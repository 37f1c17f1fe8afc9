/**
 * Creates a codec like the embedded trainer's: a chat template, and a tokenizer that is trained on a handful of
 * sentences.
 */

import { createChatTemplate } from "../../env/tokens/chat_template.ts";
import type { Codec } from "../../env/tokens/conversation.ts";
import { createTokenizer } from "../../env/tokens/tokenizer.ts";
import type { Message, ToolSchema } from "../../env/types.ts";
import { trainTokenizer } from "../../train/cpu/tiny_tokenizer.ts";

/** Two tools whose schemas declare no parameters. */
export const TOOLS: readonly ToolSchema[] = ["look", "pay"].map((name) => ({
  type: "function",
  function: { name, description: `To ${name}`, parameters: {} },
}));

/** Returns the text of a tool call as the model writes it. */
export function callText(name: string, json = "{}"): string {
  return `<tool_call>\n{"name": "${name}", "arguments": ${json}}\n</tool_call>`;
}

const CONVERSATION: readonly Message[] = [
  { role: "user", content: "Please look up order #W1234567." },
  {
    role: "assistant",
    content: "",
    toolCalls: [{
      id: "call00001",
      name: "look",
      arguments: new Map([["order_id", "#W1234567"]]),
    }],
  },
  {
    role: "tool",
    name: "look",
    toolCallId: "call00001",
    content: '{"order_id": "#W1234567", "status": "pending"}',
  },
  { role: "assistant", content: "It is pending." },
];

/** Creates a codec (tokenizer and chat template) like the embedded trainer's. */
export function tinyCodec(): Codec {
  const files = trainTokenizer([CONVERSATION, CONVERSATION], {
    vocabSize: 400,
  });
  const tokenizer = createTokenizer(files);
  const template = createChatTemplate({ tokenizer, config: files.config });
  return { tokenizer, template };
}
