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

/** The schema of a shard process's progress since its last report. */
const shardProgressSchema = z.object({
  episodes: z.int(),
  scored: z.int(),
  /** The sum of the rewards. */
  reward: z.number(),
  /** The cost in US dollars; `null` if a price is unknown. */
  cost: z.number().nullable(),
});

/** The progress of a shard process since its last report. */
export type ShardProgress = z.infer<typeof shardProgressSchema>;

/** The schema of a line that a shard process prints to stdout. */
const shardLineSchema = z.union([
  z.object({ progress: shardProgressSchema }),
  z.object({ end: z.object({ why: z.string().nullable() }) }),
  z.object({ error: z.string() }),
]);

/** A line that a shard process prints to stdout. */
export type ShardLine = z.infer<typeof shardLineSchema>;

/** How a shard process ended. */
export interface ShardEnd {
  /** The message of the error that ended the process; `null` if there was none. */
  readonly error: string | null;
  /** The reason why the process stopped early; `null` if it completed its work or failed. */
  readonly why: string | null;
}

/** A reader of the lines that a shard process prints to stdout. It skips all other output. */
export class ShardLines {
  readonly #onProgress: ((progress: ShardProgress) => void) | undefined;
  #end: ShardEnd | undefined;

  constructor(onProgress?: (progress: ShardProgress) => void) {
    this.#onProgress = onProgress;
  }

  /** How the process ended, as it reported; `undefined` if it has not reported its end. */
  get end(): ShardEnd | undefined {
    return this.#end;
  }

  take(line: string): void {
    const said = shardLineSchema.safeParse(parseJson(line)).data;
    if (said === undefined) return;
    if ("progress" in said) this.#onProgress?.(said.progress);
    else if ("end" in said) this.#end = { error: null, why: said.end.why };
    else this.#end = { error: said.error, why: null };
  }
}

const orderSchema = z.object({
  config: evaluationSchema,
  fingerprint: z.string(),
  /** Pairs of task index and trial. */
  jobs: z.array(z.tuple([z.int(), z.int()])),
});

/** The work assigned to a shard's process. */
export interface ShardOrder {
  readonly config: EvaluationConfig;
  /** The fingerprint of the evaluation's dataset. The dataset on the process's host must have the same fingerprint. */
  readonly fingerprint: string;
  readonly jobs: readonly JobPlace[];
}

/** Divides the missing episodes, the concurrency and the remaining budget among processes. */
export function shardOrders(
  jobs: readonly JobPlace[],
  { config, fingerprint, workers, used }: {
    readonly config: EvaluationConfig;
    readonly fingerprint: string;
    readonly workers: number;
    /** The usage of the evaluation so far. */
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
    fingerprint,
    // Episodes are dealt round-robin, so every shard runs first trials first.
    jobs: jobs.filter((_, j) => j % count === i),
  }));
}

/** Returns the contents of an order file. */
export function orderText({ jobs, ...order }: ShardOrder): string {
  const places = jobs.map(({ position, trial }) => [position, trial]);
  return JSON.stringify({ ...order, jobs: places });
}

/** Writes the order of the shard at `path` to a file next to it. */
export async function writeOrder(
  path: string,
  order: ShardOrder,
): Promise<void> {
  await writeFileAtomic(`${path}.json`, orderText(order));
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
    throw new RunDirError(
      `The shard's order file "${name}" is missing or damaged`,
      {
        hint: "resume the evaluation, which divides the missing episodes again",
      },
    );
  }
  const { jobs, ...rest } = order.data;
  return {
    ...rest,
    jobs: jobs.map(([position, trial]) => ({ position, trial })),
  };
}
