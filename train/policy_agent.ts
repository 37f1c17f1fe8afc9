/**
 * How a policy that works on tokens acts in a run: its tokenizer, its template and the run's settings.
 *
 * @module
 */

import { toolCallingAgent } from "../env/agents/tool_calling.ts";
import { tokenChatModel } from "../env/models/token_chat.ts";
import { createChatTemplate } from "../env/tokens/chat_template.ts";
import type { Codec } from "../env/tokens/conversation.ts";
import {
  createTokenizer,
  type TokenizerFiles,
} from "../env/tokens/tokenizer.ts";
import type { Agent, TokenModel } from "../env/types.ts";
import type { Config } from "./config.ts";

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
  readonly config: Pick<Config, "prompt" | "rollout">;
  readonly codec: Codec;
  /** 0 takes the likeliest token. */
  readonly temperature: number;
}

/** The agent that a policy is in its run. @throws {RangeError} If the temperature is below 0. */
export function policyAgent(
  policy: TokenModel,
  { config, codec, temperature }: PolicyAgentOptions,
): Agent {
  const { prompt, rollout } = config;
  const model = tokenChatModel(policy, {
    ...codec,
    temperature,
    maxTokensPerTurn: rollout.maxTokensPerTurn,
  });
  return toolCallingAgent({ model, prompt });
}
