/** Benchmarks `evaluate --workers`: the speedup from several processes, with the expert and a scripted user. */

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
  /** Episodes per second after the first episode has ended, in one process and in `workers` processes. */
  readonly one: Measured;
  readonly several: Measured;
  /** `several` divided by `one`, per round. */
  readonly gain: Measured;
  /** The speedup of the whole evaluation, including start-up and merging. */
  readonly wholeGain: Measured;
}

/**
 * Evaluates the same episodes alternately in one process and in several.
 * @param options.episodes Approximate number; each test task gets the same number of trials.
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

/** Episodes per second: after the end of the first episode, and over the entire evaluation. */
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
  // Even one process is a new one, so that no side is compiled before it starts.
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
