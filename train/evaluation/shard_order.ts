/** The messages between an evaluation and the processes of its shards: the order file and the progress lines. */

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

/** The schema of a process's progress since its last report. */
export const shardProgressSchema = z.object({
  episodes: z.int(),
  scored: z.int(),
  /** Sum of the rewards. */
  reward: z.number(),
  /** Cost in US dollars; `null` if a price is unknown. */
  cost: z.number().nullable(),
});

/** A process's progress since its last report. */
export type ShardProgress = z.infer<typeof shardProgressSchema>;

const orderSchema = z.object({
  config: evaluationSchema,
  /** Pairs of task index and trial. */
  jobs: z.array(z.tuple([z.int(), z.int()])),
});

/** The work assigned to a shard's process. */
export interface ShardOrder {
  readonly config: EvaluationConfig;
  readonly jobs: readonly JobPlace[];
}

/** Divides the missing episodes, the concurrency and the remaining budget among processes. */
export function shardOrders(
  jobs: readonly JobPlace[],
  { config, workers, used }: {
    readonly config: EvaluationConfig;
    readonly workers: number;
    /** Usage of the evaluation so far. */
    readonly used: Usage;
  },
): ShardOrder[] {
  const count = Math.max(1, Math.min(workers, jobs.length));
  const { rollout, budget: { maxCost, maxTokens } } = config;
  const tokens = used.promptTokens + used.completionTokens;
  const shared: EvaluationConfig = {
    ...config,
    // Only the evaluation as a whole is tracked.
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
    // Episodes are dealt round-robin, so every shard runs first trials first.
    jobs: jobs.filter((_, j) => j % count === i),
  }));
}

/** Writes the order of the shard at `path` to a file next to it. */
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
 * Reads the order of the shard at `path`.
 * @throws {RunDirError} If it is missing or damaged.
 */
export async function readOrder(path: string): Promise<ShardOrder> {
  const name = `${path}.json`;
  const text = await readTextIfThere(name) ?? "";
  const order = orderSchema.safeParse(parseJson(text));
  if (!order.success) {
    throw new RunDirError(`"${name}" is missing or damaged`, {
      hint: "resume the evaluation, which divides the missing episodes again",
    });
  }
  const { config, jobs } = order.data;
  return {
    config,
    jobs: jobs.map(([position, trial]) => ({ position, trial })),
  };
}
