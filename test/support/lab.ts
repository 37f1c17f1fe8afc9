/**
 * Provides a fake lab without a model. Its policy is a single number, the probability of solving a task. Every update
 * raises this number or leaves it unchanged.
 */

import { retailPrompts } from "../../env/domains/retail/world/world_prompts.ts";
import { join } from "node:path";
import { PolicyError } from "../../env/errors.ts";
import type { Database } from "../../env/database.ts";
import { createRng } from "../../env/random.ts";
import type { Dataset, Episode, Split, Task } from "../../env/types.ts";
import { NO_USAGE } from "../../env/models/usage.ts";
import { parseSet, resolveConfig } from "../../train/config/config.ts";
import type { Job, Lab, SampleOptions } from "../../train/lab.ts";
import type { Metrics } from "../../train/runs/metrics.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";
import { TrainingDir } from "../../train/runs/training_dir.ts";
import {
  advantageAt,
  type StepOptions,
  type Trainer,
  type TrainSequence,
  type UpdateStats,
} from "../../train/trainer.ts";

/** Creates a run in `dir/run` from a recipe, for training in a fake lab. */
export async function newFakeRun(
  dir: string,
  recipe: string,
  sets: readonly string[] = [],
): Promise<TrainingDir> {
  const config = resolveConfig(
    { name: "test", text: recipe },
    sets.map(parseSet),
  );
  const info = await newRunInfo({
    seed: config.seed,
    dataset: { name: "fake", fingerprint: "f" },
    now: new Date(0),
  });
  return await TrainingDir.create(join(dir, "run"), { config, info });
}

/** Returns lines of metrics without their timings. */
export function timeless(lines: readonly Metrics[]) {
  return lines.map((line) => ({ ...line, timing: null }));
}

/** Options for {@linkcode fakeLab}. */
export interface FakeLabOptions {
  /** Called before each update with the number of earlier updates. It may throw an error or abort the training. */
  readonly onUpdate?: (count: number) => void;
  /** Returns whether a job has an infrastructure failure. Default: no job has one. */
  readonly fails?: (job: Job) => boolean;
  /** Returns the reward of a job. Default: 0 or 1, drawn with the policy's skill as the probability of 1. */
  readonly reward?: (job: Job) => number;
}

/** A trainer whose policy is only the number `skill`, from 0 to 1. */
export class FakeTrainer implements Trainer {
  skill = 0.2;
  momentum = 0;
  updates = 0;
  batches: (readonly TrainSequence[])[] = [];
  resets = 0;
  references = 0;
  readonly #options: FakeLabOptions;

  constructor(options: FakeLabOptions) {
    this.#options = options;
  }

  supervised(batch: readonly TrainSequence[], options: StepOptions) {
    const signal = batch.reduce((sum, { ids }) => sum + (ids[0] ?? 0), 0) /
      1000;
    return Promise.resolve(
      this.#step(batch, options.learningRate * (1 + signal)),
    );
  }

  reinforce(batch: readonly TrainSequence[], options: StepOptions) {
    const signal = batch.reduce(
      (sum, sequence) => sum + Math.abs(advantageAt(sequence, 1)),
      0,
    );
    return Promise.resolve(this.#step(batch, options.learningRate * signal));
  }

  setReference() {
    this.references++;
  }

  resetOptimizer() {
    this.resets++;
    this.momentum = 0;
  }

  async save(dir: string) {
    const { skill, momentum } = this;
    await Deno.mkdir(dir, { recursive: true });
    await Deno.writeTextFile(
      join(dir, "skill.json"),
      JSON.stringify({ skill, momentum }),
    );
  }

  async load(dir: string) {
    const text = await Deno.readTextFile(join(dir, "skill.json"));
    try {
      const { skill, momentum } = JSON.parse(text);
      Object.assign(this, { skill, momentum });
    } catch (error) {
      throw new PolicyError(`the checksum of "${dir}" is wrong`, {
        cause: error,
      });
    }
  }

  #step(batch: readonly TrainSequence[], force: number): UpdateStats {
    this.#options.onUpdate?.(this.updates);
    this.updates++;
    this.batches.push(batch);
    this.momentum = 0.5 * this.momentum + force;
    this.skill = Math.min(1, this.skill + this.momentum);
    return {
      loss: 1 - this.skill,
      gradNorm: force,
      entropy: 1 - this.skill,
      klOld: 0,
      klReference: 0,
      clipShare: 0,
      lossTokens: batch.length,
      tokens: 3 * batch.length,
    };
  }
}

/** Creates a fake lab with 20 train, 6 dev and 8 test tasks. */
export function fakeLab(
  options: FakeLabOptions = {},
): Lab & { trainer: FakeTrainer } {
  const trainer = new FakeTrainer(options);
  return {
    dataset: fakeDataset(),
    trainer,
    demonstrations: {
      sequences: Array.from({ length: 20 }, (_, i) => sequence(i)),
      unsolved: 0,
      tooLong: 0,
    },
    sample: (jobs, how) =>
      Promise.resolve(jobs.map((job) => play(job, how, trainer, options))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function sequence(i: number): TrainSequence {
  return {
    ids: [i, 1, 2],
    lossMask: [0, 1, 1],
    logprobs: [0, 0, 0],
    advantage: 1,
  };
}

function play(
  job: Job,
  how: SampleOptions,
  trainer: FakeTrainer,
  options: FakeLabOptions,
): Episode {
  how.signal?.throwIfAborted();
  const failed = options.fails?.(job) ?? false;
  const luck = how.temperature === 0 ? 0.5 : createRng(job.seed).next();
  const value = options.reward?.(job) ?? (luck < trainer.skill ? 1 : 0);
  how.onEpisode?.();
  return fakeEpisode({
    task: job.task,
    seed: job.seed,
    value: failed ? null : value,
  });
}

/** Returns an episode of one turn with the reward `value`. If `value` is `null`, the episode's user has failed. */
export function fakeEpisode(
  options: { task?: Task; seed?: number; value: number | null },
): Episode {
  const { task = fakeTask("train", 0), seed = 1, value } = options;
  return {
    taskId: task.id,
    domain: "retail",
    split: task.split,
    intent: task.intent ?? null,
    seed,
    agent: "fake",
    model: "fake",
    user: "fake",
    messages: [{ role: "user", content: "hi" }, {
      role: "assistant",
      content: "yes – 5 €",
    }],
    turns: [{
      action: {
        type: "tool",
        call: {
          id: "1",
          name: "look",
          arguments: new Map([["order_id", "#W1"]]),
        },
      },
      observation: {
        source: "tool",
        content: "{}",
        done: true,
        end: "transfer",
      },
    }],
    trajectory: {
      ids: [5, 7, 9],
      lossMask: [0, 1, 1],
      logprobs: [0, -0.5, -0.25],
    },
    stopReason: value === null ? "failed" : "user_stop",
    reward: value === null ? null : {
      value,
      parts: { database: value === 1 ? 1 : 0, outputs: null },
      differences: [],
      missingOutputs: [],
    },
    failure: value === null
      ? { kind: "rate_limited", source: "user", message: "slow down" }
      : null,
    retries: 0,
    parseErrors: 0,
    usage: { agent: NO_USAGE, user: NO_USAGE },
    findings: null,
    reason: null,
    startedAtMs: 0,
    durationMs: 0,
  };
}

/** Returns a fake task of a split. */
export function fakeTask(split: Split, index: number): Task {
  return {
    id: `retail/${split}/${index}`,
    domain: "retail",
    split,
    index,
    userId: "u",
    instruction: "",
    actions: [],
    outputs: [],
    intent: index % 2 ? "return" : "cancel",
  };
}

function fakeDataset(): Dataset {
  const sizes: Partial<Record<Split, number>> = { train: 20, dev: 6, test: 8 };
  return {
    name: "fake",
    domain: "retail",
    fingerprint: "f",
    database: {} as Database, // the training loop does not read it
    policy: "",
    tools: [],
    terminatingTools: [],
    prompts: () => retailPrompts,
    fewShot: [],
    splits: ["train", "dev", "test"],
    tasks: (split) =>
      Array.from({ length: sizes[split] ?? 0 }, (_, i) => fakeTask(split, i)),
  };
}
