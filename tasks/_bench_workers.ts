/**
 * Benchmarks the speedup that `evaluate --workers` achieves with several processes, for the expert and a scripted user.
 */

import { join } from "node:path";
import { resolveBy } from "../train/config/config.ts";
import { evaluationSchema } from "../train/evaluation/evaluation_config.ts";
import { openEvaluation } from "../train/evaluation/evaluation_session.ts";
import { PROCESSES } from "../train/evaluation/shard_process.ts";
import { type Measured, measured } from "./_bench_measure.ts";

/** The results of {@linkcode benchWorkers}. */
export interface WorkersBench {
  readonly episodes: number;
  readonly workers: number;
  /** Episodes per second in one process, measured after the first episode has ended. */
  readonly one: Measured;
  /** Episodes per second in `workers` processes, measured after the first episode has ended. */
  readonly several: Measured;
  /** The speedup, which is `several` divided by `one` of the same round. */
  readonly gain: Measured;
  /** The speedup of the whole evaluation, including the time to start and to merge. */
  readonly wholeGain: Measured;
}

/**
 * Evaluates the same episodes alternately in one process and in several.
 * @param options.episodes Approximate number of episodes. The actual number is a multiple of the number of test tasks.
 */
export async function benchWorkers(
  { workers, episodes, rounds, onRound }: {
    readonly workers: number;
    readonly episodes: number;
    readonly rounds: number;
    readonly onRound: (round: number) => void;
  },
): Promise<WorkersBench> {
  const config = resolveBy(evaluationSchema, {
    name: "bench",
    text: "{ agent: expert, data: { generated: { trainTasks: 1 } } }",
  });
  const { testTasks } = config.data.generated;
  const trials = Math.max(1, Math.round(episodes / testTasks));
  const root = await Deno.makeTempDir({ prefix: "taulab-bench-" });
  const rates: Rates[][] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      onRound(round);
      const pair: Rates[] = [];
      for (const count of [1, workers]) {
        const path = join(root, `${round}-${count}`);
        pair.push(await rateOf(path, { ...config, trials }, count));
      }
      rates.push(pair);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
  const of = (get: (one: Rates, several: Rates) => number) =>
    measured(rates.map(([one, several]) => get(one!, several!)));
  return {
    episodes: trials * testTasks,
    workers,
    one: of((one) => one.running),
    several: of((_, several) => several.running),
    gain: of((one, several) => several.running / one.running),
    wholeGain: of((one, several) => several.whole / one.whole),
  };
}

/**
 * Episodes per second of an evaluation, measured after the first episode has ended (`running`) and over the whole
 * evaluation (`whole`).
 */
interface Rates {
  readonly running: number;
  readonly whole: number;
}

async function rateOf(
  path: string,
  config: Parameters<typeof openEvaluation>[0]["config"],
  workers: number,
): Promise<Rates> {
  const { signal } = new AbortController();
  const plan = { path, isResumed: false, config };
  // The single process is also a new one, so that neither side starts with compiled code.
  await using session = await openEvaluation(plan, {
    signal,
    runner: PROCESSES,
  });
  const began = performance.now();
  let [first, last, before, done] = [0, 0, 0, 0];
  await session.run({
    workers,
    onProgress({ episodes }) {
      last = performance.now();
      done += episodes;
      if (first === 0) [first, before] = [last, done];
    },
  });
  return {
    running: 1000 * (done - before) / (last - first),
    whole: 1000 * done / (performance.now() - began),
  };
}
