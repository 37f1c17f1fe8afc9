/**
 * Aggregates the results of rollouts for NeMo Gym, which requests this summary from the resources server at the end of
 * a rollout collection.
 *
 * @see nemo-gym 0.7.0, `nemo_gym/reward_profile.py`, `compute_aggregate_metrics`. Unlike NeMo Gym, this module computes
 * no statistics across repeats (`repeat_level_metrics`, `…_across_repeats/…`) and no `perf_summary`.
 */

import { z } from "zod";

const TASK = "_ng_task_index";
const ROLLOUT = "_ng_rollout_index";

/** The body of `POST /aggregate_metrics`: the results of rollouts, without their messages. */
export const aggregateSchema = z.looseObject({
  verify_responses: z.array(z.looseObject({
    [TASK]: z.int().default(0),
    [ROLLOUT]: z.int().default(0),
    /** Whether to exclude the result from the statistics: true if its reward is not valid. */
    mask_sample: z.boolean().nullish(),
    response: z.looseObject({
      usage: z.looseObject({}).nullish(),
    }).nullish(),
  })),
});

/** The result of a rollout. */
type Result = z.infer<typeof aggregateSchema>["verify_responses"][number];

/** Numbers, keyed by name, such as `reward` or `mean/reward`. */
type Numbers = Readonly<Record<string, number>>;

/** The response to `POST /aggregate_metrics`. */
export interface AggregateMetrics {
  /** Statistics of each task that has unmasked rollouts, with these rollouts. */
  readonly group_level_metrics: readonly object[];
  /** Statistics of all unmasked rollouts, such as `mean/reward`, and counts, such as `num_repeats`. */
  readonly agent_metrics: Numbers;
  /** The members of `agent_metrics` that begin with `mean/` or `coverage/`. */
  readonly key_metrics: Numbers;
  /** Always empty, because no statistics across repeats are computed. */
  readonly repeat_level_metrics: readonly object[];
}

/**
 * Computes the statistics of results, over all tasks and per task. Masked results are counted, but otherwise ignored. A
 * task may have several results.
 */
export function aggregateMetrics(
  { verify_responses: all }: z.infer<typeof aggregateSchema>,
): AggregateMetrics {
  const isMasked = ({ mask_sample: masked }: Result) => masked === true;
  const scored = all.filter((result) => !isMasked(result));
  const coverage = coverageOf(all, scored);
  const statistics = statisticsOf(scored.map(numbersOf));
  const agent = all.length === 0 ? {} : {
    ...statistics,
    ...coverage,
    ...(scored.length === 0 ? {} : {
      num_repeats: new Set(all.map((result) => result[ROLLOUT])).size,
    }),
  };
  const means = Object.entries(statistics)
    .filter(([name]) => name.startsWith("mean/"));
  return {
    group_level_metrics: [...Map.groupBy(scored, (result) => result[TASK])]
      .toSorted(([a], [b]) => a - b)
      .map(([task, results]) => groupOf(task, results)),
    agent_metrics: agent,
    key_metrics: { ...Object.fromEntries(means), ...coverage },
    repeat_level_metrics: [],
  };
}

function coverageOf(all: readonly Result[], scored: readonly Result[]) {
  if (scored.length === all.length) return {};
  const tasks = new Set(all.map((result) => result[TASK]));
  const measured = new Set(scored.map((result) => result[TASK]));
  return {
    "coverage/measured_rollouts": scored.length,
    "coverage/masked_rollouts": all.length - scored.length,
    "coverage/measured_tasks": measured.size,
    "coverage/fully_masked_tasks": tasks.difference(measured).size,
  };
}

function groupOf(task: number, results: readonly Result[]) {
  return {
    [TASK]: task,
    ...statisticsOf(results.map(numbersOf)),
    sample: { agent_ref: { name: "agent" } },
    num_rollouts: results.length,
    expected_num_rollouts: results.length,
    missing_num_rollouts: 0,
    reward_profile_completion_pct: 100,
    rollout_infos: results.toSorted((a, b) => a[ROLLOUT] - b[ROLLOUT])
      .map((result) => ({
        rollout_id: `${task}:${result[ROLLOUT]}`,
        [TASK]: task,
        [ROLLOUT]: result[ROLLOUT],
        ...numbersOf(result),
      })),
  };
}

/**
 * Returns the numeric fields of a result and of its token usage, except `mask_sample` and fields with a leading
 * underscore. Booleans become 0 or 1.
 */
function numbersOf({ mask_sample: _, ...result }: Result): Numbers {
  const named = { ...result, ...result.response?.usage };
  return Object.fromEntries(
    Object.entries(named).flatMap(([name, value]) =>
      !name.startsWith("_") &&
        (typeof value === "number" || typeof value === "boolean")
        ? [[name, Number(value)]]
        : []
    ),
  );
}

/** Returns the statistics of each named number, such as its mean. Rows without the number are not counted. */
function statisticsOf(rows: readonly Numbers[]): Numbers {
  // Names come from clients: there may be many, and a name may equal that of an inherited property.
  const columns = Map.groupBy(
    rows.flatMap((row) => Object.entries(row)),
    ([name]) => name,
  );
  return Object.fromEntries([...columns].flatMap(([name, cells]) => {
    const values = cells.map(([, value]) => value).toSorted((a, b) => a - b);
    const mean = sum(values) / values.length;
    const squares = values.map((value) => (value - mean) ** 2);
    const std = rows.length === 1
      ? 0
      : Math.sqrt(sum(squares) / (values.length - 1));
    return [
      [`mean/${name}`, mean],
      [`max/${name}`, values.at(-1)!],
      [`min/${name}`, values[0]!],
      [`median/${name}`, medianOf(values)],
      // Only one of several rows has this number.
      ...(Number.isNaN(std) ? [] : [[`std/${name}`, std]]),
    ];
  }));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Returns the median of a sorted list that is not empty. */
function medianOf(values: readonly number[]): number {
  const half = values.length / 2;
  return (values[Math.ceil(half) - 1]! + values[Math.floor(half)]!) / 2;
}
