/** How a policy that works on tokens acts in a run: its tokenizer, its template and the run's settings. */

import { openAgent } from "../../env/agents/registry.ts";
import { tokenChatModel } from "../../env/models/token_chat.ts";
import { createChatTemplate } from "../../env/tokens/chat_template.ts";
import type { Codec } from "../../env/tokens/conversation.ts";
import {
  createTokenizer,
  type TokenizerFiles,
} from "../../env/tokens/tokenizer.ts";
import type { Agent, Dataset, TokenModel } from "../../env/types.ts";
import type { Config } from "../config/config.ts";

/**
 * The tokenizer of its files, and the chat template that they hold.
 * @param origin Where the files are from, for errors.
 * @throws {DataError} If they are damaged.
 */
export function codecOf(
  files: TokenizerFiles,
  origin = "the given files",
): Codec {
  const tokenizer = createTokenizer(files, origin);
  const { config } = files;
  return {
    tokenizer,
    template: createChatTemplate({ tokenizer, config, origin }),
  };
}

/** Settings of {@linkcode policyAgent}. */
export interface PolicyAgentOptions {
  readonly config: Pick<Config, "agent" | "compat" | "prompt" | "rollout">;
  readonly codec: Codec;
  /** Where the few-shot agent has its examples from. */
  readonly dataset: Dataset;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
}

/**
 * The agent that a policy is in its run.
 * @throws {RangeError} If the temperature is below 0.
 * @throws {ConfigError} If the config's agent has nothing to be prompted by.
 */
export function policyAgent(
  policy: TokenModel,
  { config, codec, dataset, temperature }: PolicyAgentOptions,
): Promise<Agent> {
  const { agent, compat, prompt, rollout } = config;
  const model = tokenChatModel(policy, {
    ...codec,
    temperature,
    maxTokensPerTurn: rollout.maxTokensPerTurn,
  });
  return openAgent(agent, { model, dataset, prompt, compat });
}
