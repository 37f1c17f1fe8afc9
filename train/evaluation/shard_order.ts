/** What the process of a shard is to run, and what it says of that: the file and the lines between two processes. */

import { z } from "zod";
import { RunDirError } from "../../env/errors.ts";
import type { Usage } from "../../env/types.ts";
import { readTextIfThere, writeFileAtomic } from "../runs/storage.ts";
import { parseJson } from "../runs/versions.ts";
import { trackingSchema } from "../tracking/tracking_schema.ts";
import type { JobPlace } from "./evaluate.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "./evaluation_config.ts";

/** What a process has done since it last said so. */
export const shardProgressSchema = z.object({
  episodes: z.int(),
  scored: z.int(),
  /** The sum of the rewards. */
  reward: z.number(),
  /** US dollars; `null` where a price is not known. */
  cost: z.number().nullable(),
});

/** What a process has done since it last said so. */
export type ShardProgress = z.infer<typeof shardProgressSchema>;

const orderSchema = z.object({
  config: evaluationSchema,
  /** `[task, trial]`, by their places in the plan. */
  jobs: z.array(z.tuple([z.int(), z.int()])),
});

/** What a process is to run. */
export interface ShardOrder {
  readonly config: EvaluationConfig;
  readonly jobs: readonly JobPlace[];
}

/** Divides what is missing; conversations in flight and what is left of the budget are divided too. */
export function shardOrders(
  jobs: readonly JobPlace[],
  { config, workers, used }: {
    readonly config: EvaluationConfig;
    readonly workers: number;
    /** What the evaluation has used so far. */
    readonly used: Usage;
  },
): ShardOrder[] {
  const count = Math.max(1, Math.min(workers, jobs.length));
  const { rollout, budget: { maxCost, maxTokens } } = config;
  const tokens = used.promptTokens + used.completionTokens;
  const shared: EvaluationConfig = {
    ...config,
    // Of the evaluation as a whole.
    tracking: trackingSchema.parse({}),
    rollout: {
      ...rollout,
      concurrency: Math.max(1, Math.floor(rollout.concurrency / count)),
    },
    budget: {
      maxCost: maxCost === null ? null : (maxCost - (used.cost ?? 0)) / count,
      maxTokens: maxTokens === null
        ? null
        : Math.max(1, Math.floor((maxTokens - tokens) / count)),
    },
  };
  return Array.from({ length: count }, (_, i) => ({
    config: shared,
    // Each has first trials of all tasks first.
    jobs: jobs.filter((_, j) => j % count === i),
  }));
}

/** Writes the order of the shard at `path`, beside it. */
export async function writeOrder(
  path: string,
  { config, jobs }: ShardOrder,
): Promise<void> {
  const places = jobs.map(({ position, trial }) => [position, trial]);
  await writeFileAtomic(
    `${path}.json`,
    JSON.stringify({ config, jobs: places }),
  );
}

/**
 * What the process of a shard is to run.
 * @throws {RunDirError} If its order is missing or damaged.
 */
export async function readOrder(path: string): Promise<ShardOrder> {
  const name = `${path}.json`;
  const text = await readTextIfThere(name) ?? "";
  const order = orderSchema.safeParse(parseJson(text));
  if (!order.success) {
    throw new RunDirError(`"${name}" is missing or damaged`, {
      hint: "resume the evaluation, which divides what is missing anew",
    });
  }
  const { config, jobs } = order.data;
  return {
    config,
    jobs: jobs.map(([position, trial]) => ({ position, trial })),
  };
}
