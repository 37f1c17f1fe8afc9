/** Opens the saved policy of a run for chat, evaluation and sampling. */

import { basename, join } from "node:path";
import { ConfigError, PolicyError, RunDirError } from "../../env/errors.ts";
import type { Codec } from "../../env/tokens/conversation.ts";
import type { Agent, Dataset } from "../../env/types.ts";
import { type CpuPolicy, loadCpuPolicy } from "./policy.ts";
import { codecOf, policyAgent } from "./policy_agent.ts";
import { checkCheckpoint, checkpointSteps } from "../runs/checkpoint_dirs.ts";
import type { TrainingRecord } from "../runs/training_dir.ts";
import { readRunTokenizer, TOKENIZER } from "./run_tokenizer.ts";

/**
 * Opens the policy in the last checkpoint of a run. The run may still be training; nothing is written.
 * @throws {ConfigError} If the run has no checkpoint yet.
 * @throws {RunDirError} If its checkpoint is damaged or from an incompatible version, or its tokenizer is missing or
 * damaged.
 */
export async function openRunPolicy(run: TrainingRecord): Promise<RunPolicy> {
  const steps = await checkpointSteps(run.path);
  const step = steps.at(-1);
  if (step === undefined) {
    throw new ConfigError(
      `Cannot open the policy of "${run.path}": the run has no checkpoint yet`,
      {
        hint:
          `continue the run with "deno task train --resume ${run.path}", or choose another run`,
      },
    );
  }
  const dir = join(run.path, "checkpoints", String(step));
  const hint = steps.length > 1
    ? `remove "${dir}" to use the checkpoint before it, or choose another run`
    : "choose another run";
  await checkCheckpoint(run.path, { step, hint });
  const codec = await openCodec(run);
  const policy = await openWeights(run, { dir, hint });
  return new RunPolicy({ run, step, policy, codec });
}

interface Parts {
  readonly run: TrainingRecord;
  readonly step: number;
  readonly policy: CpuPolicy;
  readonly codec: Codec;
}

/** A run's policy with the parts that it needs to act. Use it with `await using`. */
export class RunPolicy implements AsyncDisposable {
  readonly run: TrainingRecord;
  /** The step of the checkpoint. */
  readonly step: number;
  readonly policy: CpuPolicy;
  /** The tokenizer and chat template of the run. */
  readonly codec: Codec;

  /** Creates the policy from its parts; call {@linkcode openRunPolicy} instead. */
  constructor({ run, step, policy, codec }: Parts) {
    this.run = run;
    this.step = step;
    this.policy = policy;
    this.codec = codec;
  }

  /** Returns the agent of the run's config. A temperature of 0 is greedy. */
  agent(
    { temperature, dataset }: { temperature: number; dataset: Dataset },
  ): Promise<Agent> {
    const { config } = this.run;
    return policyAgent(this.policy, {
      config,
      codec: this.codec,
      dataset,
      temperature,
    });
  }

  /** Waits for running work to finish, then terminates the policy's threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.policy[Symbol.asyncDispose]();
  }
}

async function openCodec({ path }: TrainingRecord): Promise<Codec> {
  const hint = "restore it, or choose another run";
  const files = await readRunTokenizer(path, { hint });
  if (files !== undefined) return codecOf(files, path);
  throw new RunDirError(
    `"${join(path, TOKENIZER)}" is missing; the policy needs it to encode text`,
    { hint },
  );
}

async function openWeights(
  { path, config }: TrainingRecord,
  { dir, hint }: { dir: string; hint: string },
): Promise<CpuPolicy> {
  try {
    return await loadCpuPolicy(join(dir, "policy"), {
      name: basename(path),
      threads: config.threads,
      maxCacheTokens: config.rollout.cacheTokens,
    });
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause;
    throw new RunDirError(
      `Cannot open the policy of "${path}": ${cause.message}`,
      { cause, hint: hint },
    );
  }
}
