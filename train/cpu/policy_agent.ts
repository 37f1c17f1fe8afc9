/**
 * The agent that acts with a token-level policy. It uses the tokenizer, chat template and settings of the policy's run.
 */

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
 * Creates the tokenizer and its chat template from the tokenizer's files.
 * @param origin The directory of the files, as named in error messages. Default: none.
 * @throws {DataError} If the files are invalid, or contain no chat template.
 */
export function codecOf(files: TokenizerFiles, origin?: string): Codec {
  const tokenizer = createTokenizer(files, origin);
  const { config } = files;
  return {
    tokenizer,
    template: createChatTemplate({ tokenizer, config, origin }),
  };
}

/** Options for {@linkcode policyAgent}. */
export interface PolicyAgentOptions {
  readonly config: Pick<Config, "agent" | "compat" | "prompt" | "rollout">;
  readonly codec: Codec;
  /** The dataset with the prompts and examples that the agent uses. */
  readonly dataset: Dataset;
  /** The sampling temperature; 0 is greedy. */
  readonly temperature: number;
}

/**
 * Creates an agent that acts with a policy, using the agent strategy of the run's config.
 * @throws {RangeError} If the temperature is below 0.
 * @throws {ConfigError} If the dataset lacks the prompts that the config's agent needs.
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
