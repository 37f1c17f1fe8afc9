/** Creates the lab of the CPU trainer: a tiny policy, and a tokenizer trained on the expert's demonstrations. */

import { agentStrategy } from "../../env/agents/registry.ts";
import { ConfigError } from "../../env/errors.ts";
import { deriveSeed } from "../../env/random.ts";
import { rolloutAll } from "../../env/rollout.ts";
import type { Codec } from "../../env/tokens/conversation.ts";
import type { TokenizerFiles } from "../../env/tokens/tokenizer.ts";
import { type Dataset, STAND_IN, type UserFactory } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import type { Config } from "../config/config.ts";
import { defaultThreads } from "../config/config_schema.ts";
import { type CpuPolicy, createCpuPolicy } from "./policy.ts";
import { trainTokenizer } from "./tiny_tokenizer.ts";
import {
  demonstrationSequences,
  expertConversations,
} from "../demonstrations.ts";
import type { Demonstrations, Job, Lab, SampleOptions } from "../lab.ts";
import { codecOf, policyAgent } from "./policy_agent.ts";
import type { Trainer } from "../trainer.ts";

/** Options for {@linkcode createCpuLab}. */
export interface CpuLabOptions {
  readonly config: Config;
  readonly dataset: Dataset;
  /** The tokenizer of a resumed run. Default: a new tokenizer, trained on the demonstrations. */
  readonly tokenizer?: TokenizerFiles;
  /** The simulated user during training. Default: the scripted user. */
  readonly user?: UserFactory;
}

/** A lab with the parts that a run has to save. */
export interface CpuLab extends Lab {
  readonly tokenizer: TokenizerFiles;
  readonly policy: CpuPolicy;
}

/**
 * Creates a lab with its demonstrations, tokenizer and policy.
 * @throws {ConfigError} If a cold start is configured but there are no demonstrations.
 * @throws {DataError} If the given tokenizer is damaged.
 * @throws {PolicyError} If the model cannot be created.
 */
export async function createCpuLab(options: CpuLabOptions): Promise<CpuLab> {
  const { config, dataset } = options;
  const { solved, asCalls, unsolved } = await expertConversations(
    dataset,
    config,
  );
  const files = options.tokenizer ??
    trainTokenizer(solved, { vocabSize: config.model.vocab, asCalls });
  const codec = codecOf(files);
  const shown = demonstrationSequences(solved, {
    ...codec,
    tools: showsTools(config) ? dataset.tools : [],
    maxTokens: maxTokens(config),
  });
  const demonstrations = { ...shown, unsolved };
  requireDemonstrations(demonstrations, config);
  const policy = await createCpuPolicy({
    config: config.model,
    seed: deriveSeed(config.seed, "weights"),
    threads: config.threads || defaultThreads(),
    maxCacheTokens: config.rollout.cacheTokens,
  });
  policy.trainer(config.optimizer);
  return new EmbeddedLab({
    config,
    dataset,
    files,
    codec,
    policy,
    demonstrations,
    user: options.user ?? scriptedUser(dataset),
  });
}

function requireDemonstrations(
  { sequences, unsolved, tooLong }: Demonstrations,
  config: Config,
): void {
  const { coldStart, rollout } = config;
  if (sequences.length > 0 || coldStart.steps === 0) return;
  const tried = unsolved + tooLong;
  const reasons = [
    ...unsolved === 0 ? [] : [
      `the expert did not solve ${unsolved} of ${tried} train tasks within rollout.maxTurns=${rollout.maxTurns}`,
    ],
    ...tooLong === 0 ? [] : [
      `the expert's conversations for ${tooLong} of ${tried} train tasks exceed ${
        maxTokens(config)
      } tokens, the limit set by model.contextLength and coldStart.maxTokens`,
    ],
  ];
  throw new ConfigError(
    `The cold start has no demonstrations: ${
      reasons.join(", and ") || "there are no train tasks"
    }`,
    {
      hint: tried === 0
        ? "choose data with train tasks, or set coldStart.steps to 0"
        : "raise rollout.maxTurns or the token limit, or set coldStart.steps to 0",
    },
  );
}

/** Returns the maximum length of a demonstration in tokens. */
function maxTokens({ coldStart, model }: Config): number {
  return Math.min(coldStart.maxTokens || Infinity, model.contextLength);
}

/**
 * Checks whether the chat template lists the tools. It does so only with the full prompt, and not for text agents,
 * whose tools are listed in the system prompt.
 */
function showsTools({ agent, prompt }: Config): boolean {
  return prompt === "full" && agentStrategy(agent).text === undefined;
}

interface Parts {
  readonly config: Config;
  readonly dataset: Dataset;
  readonly files: TokenizerFiles;
  readonly codec: Codec;
  readonly policy: CpuPolicy;
  readonly demonstrations: Demonstrations;
  readonly user: UserFactory;
}

class EmbeddedLab implements CpuLab {
  readonly dataset: Dataset;
  readonly demonstrations: Demonstrations;
  readonly tokenizer: TokenizerFiles;
  readonly policy: CpuPolicy;
  readonly #config: Config;
  readonly #codec: Codec;
  readonly #user: UserFactory;

  constructor(parts: Parts) {
    this.#user = parts.user;
    this.dataset = parts.dataset;
    this.demonstrations = parts.demonstrations;
    this.tokenizer = parts.files;
    this.policy = parts.policy;
    this.#config = parts.config;
    this.#codec = parts.codec;
  }

  get trainer(): Trainer {
    return this.policy.trainer();
  }

  async sample(jobs: readonly Job[], options: SampleOptions) {
    const { rollout } = this.#config;
    const { dataset } = this;
    const agent = await policyAgent(this.policy, {
      config: this.#config,
      codec: this.#codec,
      dataset,
      temperature: options.temperature,
    });
    const specs = jobs.map(({ task, seed }) => ({
      dataset,
      task,
      seed,
      agent,
      user: this.#user,
      judge: STAND_IN,
      maxTurns: rollout.maxTurns,
      maxParseErrors: rollout.maxParseErrors,
      ...(options.reward ? { reward: options.reward } : {}),
    }));
    return await rolloutAll(specs, {
      concurrency: rollout.concurrency,
      ...(options.signal ? { signal: options.signal } : {}),
      onEpisode: () => options.onEpisode?.(),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.policy[Symbol.asyncDispose]();
  }
}
