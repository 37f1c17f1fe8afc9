/** `deno task bench`: how fast the environment and the embedded policy are on this machine just now. */

import { z } from "zod";
import { generated } from "../env/generated/generated.ts";
import { loadTauBench } from "../env/benchmarks/tau/tau_bench.ts";
import { benchCpu, type CpuBench } from "./_bench_cpu.ts";
import { benchHttp, type HttpBench } from "./_bench_http.ts";
import {
  benchEnvironment,
  type EnvironmentBench,
  type Measured,
} from "./_bench_env.ts";
import { MODEL_SHAPES, type ModelName } from "../train/slime/model_shapes.ts";
import { benchVerify } from "./_bench_verify.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { benchBridge } from "./_bench_bridge.ts";
import type { Terminal } from "./_terminal.ts";
import { bytes, count, percent } from "../train/progress/amounts.ts";
import { tauBenchFlag } from "./_shared_flags.ts";
import { table } from "../train/progress/text_table.ts";

const flags = z.object({
  tauBench: tauBenchFlag.meta({
    description:
      "Directory of tau-bench's data; without it the generated world is measured",
  }),
  threads: z.int().min(1).default(2).describe("Threads of the policy"),
  bridge: z.boolean().default(false).describe(
    "Measure serve --recipe instead: 256 episodes at once, beside their requests sent plainly",
  ),
  verify: z.enum(Object.keys(MODEL_SHAPES) as [ModelName, ...ModelName[]])
    .optional().meta({
      description:
        "Measure convert --verify instead, on two checkpoints of a model's shape that are written for it (twice its size on disk)",
      value: "MODEL",
    }),
});

async function run(
  { tauBench, threads, bridge, verify }: z.infer<typeof flags>,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const now = () => performance.now();
  if (verify !== undefined) return await runVerify(verify, terminal);
  if (bridge) return await runBridge(tauBench || null, terminal);
  terminal.progress("measuring the environment");
  const dataset = tauBench === undefined
    ? await generated(1)
    : await loadTauBench(tauBench, "retail");
  const environment = await benchEnvironment(dataset, { now });
  terminal.progress("measuring many conversations over HTTP");
  const http = await benchHttp(await generated(1), { now });
  terminal.progress("measuring the policy");
  const cpu = await benchCpu({ now, threads });
  terminal.endProgress();
  terminal.print(figures({ data: dataset.name, environment, http, cpu }));
  return { json: toJson({ data: dataset.name, environment, http, cpu }) };
}

async function runBridge(
  tauBench: string | null,
  terminal: Terminal,
): Promise<TaskResult> {
  terminal.progress("measuring the bridge");
  const bench = await benchBridge({ tauBench, now: () => performance.now() });
  terminal.endProgress();
  const of =
    `${bench.data} retail, ${bench.episodes} at once, ${bench.latencyMs} ms an answer`;
  const ms = (n: number) => `${n.toFixed(1)} ms`;
  terminal.print(table([
    ["figure", "of", "median", "spread"],
    row("turns/s", of, bench.turnsPerS, count),
    row("turns/s, requests alone", of, bench.plainTurnsPerS, count),
    row("share of the engine's rate", of, bench.ratio, percent),
    row("p99 beyond the engine, a turn", of, bench.overheadP99Ms, ms),
    row("p99 of requests alone", of, bench.plainP99Ms, ms),
    row("memory an episode", of, bench.bytesPerEpisode, bytes),
  ]));
  terminal.print();
  terminal.print(
    `${bench.servers} servers; ${
      bench.turnsPerEpisode.toFixed(0)
    } turns and up to ${count(bench.tokensPerEpisode)} tokens an episode`,
  );
  return { json: { ...bench } };
}

async function runVerify(
  model: ModelName,
  terminal: Terminal,
): Promise<TaskResult> {
  const bench = await benchVerify({
    model,
    now: () => performance.now(),
    onStage: (text) => terminal.progress(text),
  });
  terminal.endProgress();
  const { cold, warm, peakBytes } = bench;
  const of = `${model} twice, ${bytes(bench.bytes)}`;
  const rate = (n: number) => `${bytes(n)}/s`;
  const rows = ([[cold, "cold"], [warm, "warm"]] as const).flatMap((
    [pair, how],
  ) => [
    row(`convert --verify, ${how}`, of, pair.verify, rate),
    row(`sha256sum, ${how}`, of, pair.sha256sum, rate),
    row(`times sha256sum, ${how}`, of, pair.ratio, (n) => n.toFixed(2)),
  ]);
  terminal.print(table([
    ["figure", "of", "median", "spread"],
    ...rows,
    row("peak memory", of, peakBytes, bytes),
  ]));
  return { json: { ...bench } };
}

interface Bench {
  readonly data: string;
  readonly environment: EnvironmentBench;
  readonly http: HttpBench;
  readonly cpu: CpuBench;
}

function figures({ data, environment, http, cpu }: Bench): string {
  const policy = `${count(cpu.parameters)} parameters, ${cpu.threads} threads`;
  const talk =
    `${http.episodes} conversations at once, ${http.latencyMs} ms a call`;
  const world = `${data} retail, ${environment.tasks} tasks, one core`;
  return table([
    ["figure", "of", "median", "spread"],
    row("gold episodes/s", world, environment.goldEpisodesPerS, count),
    row("bytes a live episode", world, environment.bytesPerEpisode, bytes),
    row("share of time that is ours", talk, http.ownShare, percent),
    row("share beyond the latency", talk, http.waitingShare, percent),
    row("calls/s", talk, http.callsPerS, count),
    row("trained tokens/s", policy, cpu.trainTokensPerS, count),
    row("sampled tokens/s", policy, cpu.sampleTokensPerS, count),
    row("prompt tokens/s", policy, cpu.promptTokensPerS, count),
    row(
      "matrix product, GFLOP/s",
      "our kernel, one thread",
      cpu.matmulGflops,
      fixed,
    ),
    row(
      "matrix product, GFLOP/s",
      "jax-js, its own threads",
      cpu.jaxMatmulGflops,
      fixed,
    ),
  ]);
}

function row(
  ...[name, of, figure, show]: [
    name: string,
    of: string,
    figure: Measured,
    show: (n: number) => string,
  ]
): string[] {
  const [least, most] = figure.spread;
  return [name, of, show(figure.median), `${show(least)} to ${show(most)}`];
}

function fixed(value: number): string {
  return value.toFixed(1);
}

/** Each figure under its key, and its smallest and largest repeat under the key with `.spread`. */
function toJson(
  { data, environment, http, cpu }: Bench,
): Record<string, unknown> {
  const measured: [string, Measured][] = [
    ["env.retail.gold_episodes_per_s", environment.goldEpisodesPerS],
    ["env.retail.bytes_per_episode", environment.bytesPerEpisode],
    ["http.own_share", http.ownShare],
    ["http.beyond_latency_share", http.waitingShare],
    ["http.calls_per_s", http.callsPerS],
    ["cpu.train_tokens_per_s", cpu.trainTokensPerS],
    ["cpu.sample_tokens_per_s", cpu.sampleTokensPerS],
    ["cpu.prompt_tokens_per_s", cpu.promptTokensPerS],
    ["cpu.matmul_gflops", cpu.matmulGflops],
    ["jax.matmul_gflops", cpu.jaxMatmulGflops],
  ];
  return {
    ...Object.fromEntries(
      measured.flatMap(([key, { median, spread }]) => [
        [key, median],
        [`${key}.spread`, spread],
      ]),
    ),
    "env.retail.data": data,
    "cpu.parameters": cpu.parameters,
    "cpu.threads": cpu.threads,
  };
}

export const task = await main(import.meta, {
  name: "bench",
  summary:
    "Measure the environment and the embedded policy, beside plain matrix products",
  flags,
  examples: [
    {
      command: "deno task bench --tau-bench ../tau-bench",
      does: "measure on the real τ-retail",
    },
    {
      command: "deno task bench --verify Qwen3-0.6B",
      does: "convert --verify beside sha256sum, and its memory",
    },
    {
      command: "deno task bench --json",
      does: "the figures as one JSON object",
    },
  ],
  run,
});
