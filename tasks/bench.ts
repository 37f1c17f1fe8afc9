/**
 * `deno task bench`: measures the speed and memory use of environments, servers and the embedded policy on this
 * machine.
 */

import { z } from "zod";
import { generated } from "../env/generated/generated.ts";
import { bytes, count, percent } from "../train/progress/amounts.ts";
import { ConfigError } from "../env/errors.ts";
import {
  type Override,
  parseSet,
  resolveConfig,
} from "../train/config/config.ts";
import { mean } from "../train/runs/episode_stats.ts";
import { anyPath, recipeFile } from "./_caller_paths.ts";
import { readRecipe } from "./_recipes.ts";
import {
  benchmarkOverrides,
  refuseUnusedBenchmark,
  runsFlag,
  setFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";
import { table } from "../train/progress/text_table.ts";
import { MODEL_SHAPES, type ModelName } from "../train/slime/model_shapes.ts";
import { benchBridge, type BridgeBench } from "./_bench_bridge.ts";
import { openBenchDataset } from "./_bench_bridge_world.ts";
import { benchCpu, type CpuBench } from "./_bench_cpu.ts";
import { benchEnvironment, type EnvironmentBench } from "./_bench_env.ts";
import {
  benchEstimators,
  VARIANT_NAMES,
  type VariantRun,
} from "./_bench_estimators.ts";
import { benchHttp, type HttpBench } from "./_bench_http.ts";
import { interruptible, type Measured, measured } from "./_bench_measure.ts";
import { benchSessions, type SessionsBench } from "./_bench_sessions.ts";
import { benchTau3, type Tau3Bench } from "./_bench_tau3.ts";
import { benchTemplate, type TemplateBench } from "./_bench_template.ts";
import { benchVerify } from "./_bench_verify.ts";
import { benchWorkers } from "./_bench_workers.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";

const flags = z.object({
  tauBench: tauBenchFlag.meta({
    description:
      "Directory of tau-bench's data, to measure its retail domain; default: the generated world",
  }),
  tau3Bench: tau3BenchFlag.meta({
    description:
      "Directory of tau3-bench's data (a bundle or a checkout), to measure its domains instead and compare them with the Python original",
    // The flag selects a benchmark, so the environment variable must not set it.
    env: undefined,
  }),
  tau2Packages: z.string().min(1).optional().meta({
    description:
      "For --tau3-bench: directory with the Python package tau2; default: the packages of python3",
    value: "DIR",
    isPath: anyPath,
  }),
  threads: z.int().min(1).max(64).default(2).describe(
    "Threads of the CPU policy",
  ),
  bridge: z.boolean().default(false).describe(
    "Measure serve --recipe instead: compare concurrent episodes with the same requests made with plain fetch",
  ),
  example: z.string().min(1).optional().meta({
    description:
      "For --bridge: the examples/tau-bench directory of a slime checkout, to also measure that example; python3 needs tau_bench, transformers and httpx",
    value: "DIR",
    isPath: anyPath,
  }),
  workers: z.int().min(2).optional().describe(
    "Measure evaluate --workers instead: compare N processes with one, in alternating runs",
  ),
  episodes: z.int().min(1).optional().describe(
    "For --bridge: concurrent episodes (default: 256); for --workers: approximate number of episodes (default: 4000)",
  ),
  rounds: z.int().min(1).default(3).describe(
    "For --bridge and --workers: number of repeats",
  ),
  seconds: z.int().min(1).default(10).describe(
    "For --bridge: duration of each open-loop load test, in seconds",
  ),
  verify: z.enum(Object.keys(MODEL_SHAPES) as [ModelName, ...ModelName[]])
    .optional().meta({
      description:
        "Measure convert --verify instead, on two checkpoints of this model's shape with random weights; needs disk space for both",
      value: "MODEL",
    }),
  estimators: z.union([z.literal(true), z.string()]).optional().meta({
    description:
      `Compare estimators, ratios and credits instead: train a recipe with each of them, or only with those named (${
        VARIANT_NAMES.join(", ")
      }), from one cold start per seed`,
    value: "NAMES",
    valueOptional: true,
  }),
  seeds: z.int().min(1).default(3).describe(
    "For --estimators: use seeds 1 to N",
  ),
  steps: z.int().min(1).optional().describe(
    "For --estimators: RL steps per run; default: the recipe's",
  ),
  recipe: z.string().optional().meta({
    description:
      "For --estimators: a recipe's name in train/recipes, or a YAML file; default: the recipe named default",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  set: setFlag,
  runs: runsFlag,
});

type BenchFlags = z.infer<typeof flags>;

async function run(
  flags: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  return await interruptible(() => measure(flags, context), context);
}

async function measure(
  parsed: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const { tauBench, threads, bridge, verify, estimators } = parsed;
  if (estimators !== undefined) {
    return await runEstimators(estimators, parsed, context);
  }
  refuseIdleBenchmark(parsed);
  if (verify !== undefined) return await runVerify(verify, context);
  if (bridge) return await runBridge(parsed, context);
  if (parsed.workers !== undefined) {
    return await runWorkers(parsed.workers, parsed, context);
  }
  if (parsed.tau3Bench) {
    return await runTau3(parsed.tau3Bench, parsed, context);
  }
  showStage(context, "measuring the environment");
  const dataset = await openBenchDataset(tauBench || null);
  const environment = await benchEnvironment(dataset);
  showStage(context, "measuring a chat template");
  const template = benchTemplate(dataset);
  showStage(context, "measuring many conversations over HTTP");
  const world = await generated(1);
  const http = await benchHttp(world);
  showStage(context, "measuring sessions of an environment server");
  const sessions = await benchSessions(world);
  showStage(context, "measuring the policy");
  const cpu = await benchCpu(threads);
  showStage(context, null);
  const figures = figuresOf({
    data: dataset.name,
    environment,
    template,
    http,
    sessions,
    cpu,
  });
  context.terminal.print(figureTable(figures));
  return {
    json: {
      ...figureJson(figures),
      "env.retail.data": dataset.name,
      "cpu.parameters": cpu.parameters,
      "cpu.threads": cpu.threads,
    },
  };
}

/**
 * Shows the next stage of the benchmark on the live line. `null` ends the line.
 * @throws {DOMException} An `AbortError` after Ctrl-C, which also ends the measured processes.
 */
function showStage(
  { terminal, signal }: TaskContext,
  stage: string | null,
): void {
  signal.throwIfAborted();
  if (stage === null) terminal.endProgress();
  else terminal.progress(stage);
}

/**
 * Rejects a benchmark's directory that the chosen measurement does not use.
 * @throws {ConfigError} If such a directory was passed.
 */
function refuseIdleBenchmark(
  { tauBench, tau3Bench, verify, bridge, workers }: BenchFlags,
): void {
  const rule = { selectedBy: null };
  if (verify !== undefined || workers !== undefined) {
    const flag = verify !== undefined ? "--verify" : "--workers";
    const what = `bench ${flag}`;
    refuseUnusedBenchmark({ tauBench, tau3Bench }, what, rule);
  } else if (bridge) {
    refuseUnusedBenchmark({ tau3Bench }, "bench --bridge", rule);
  } else if (tau3Bench) refuseUnusedBenchmark({ tauBench }, "tau3-bench", rule);
}

async function runBridge(
  { tauBench, example, episodes, rounds, seconds }: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const bench = await benchBridge({
    tauBench: tauBench || null,
    episodes: episodes ?? 256,
    rounds,
    seconds,
    example: example === undefined
      ? null
      : { directory: example, python: "python3" },
    onStage: (text) => showStage(context, text),
  });
  showStage(context, null);
  context.terminal.print(figureTable(bridgeFigures(bench)));
  context.terminal.print();
  context.terminal.print(
    `An episode has ${bench.turnsPerEpisode.toFixed(0)} turns and up to ${
      count(bench.tokensPerEpisode)
    } tokens`,
  );
  return { json: { ...bench } };
}

async function runWorkers(
  workers: number,
  { episodes = 4000, rounds }: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const bench = await benchWorkers({
    ...{ workers, episodes, rounds },
    onRound: (round) =>
      showStage(context, `evaluating, round ${round + 1} of ${rounds}`),
  });
  showStage(context, null);
  const of = `generated retail, ${count(bench.episodes)} episodes, the expert`;
  const gain = `${of}, ${workers} processes over one`;
  context.terminal.print(figureTable([
    ["episodes/s in one process", of, bench.one, count],
    [`episodes/s in ${workers} processes`, of, bench.several, count],
    ["speedup", gain, bench.gain, times],
    ["speedup, with start-up and merging", gain, bench.wholeGain, times],
  ]));
  return { json: { ...bench } };
}

function bridgeFigures(bench: BridgeBench): Figure[] {
  const { data, episodes, offeredPerS, example } = bench;
  const cpu = (n: number) => `${n.toFixed(2)} ms`;
  const ms = (n: number) => `${n.toFixed(1)} ms`;
  return [
    ...bench.servers.flatMap((servers): Figure[] => {
      const of = `${data} retail, ${episodes} at once, ${servers.processes} ${
        servers.processes === 1 ? "process" : "processes"
      }`;
      return [
        ["CPU per turn", of, servers.turnCpuMs, cpu],
        ["CPU per turn, requests alone", of, servers.plainCpuMs, cpu],
        ["CPU per turn, bridge alone", of, servers.ownCpuMs, cpu],
        ["turns/s, closed loop", of, servers.turnsPerS, count],
        [
          `p99 overhead at ${offeredPerS} turns/s`,
          of,
          servers.openP99Ms,
          ms,
        ],
        [
          `share of ${offeredPerS} turns/s completed`,
          of,
          servers.openShare,
          percent,
        ],
        ["memory per episode", of, servers.bytesPerEpisode, bytes],
      ];
    }),
    ...Object.entries(
      example === null
        ? {}
        : { bridge: example.bridge, "slime's example": example.example },
    ).flatMap(([whose, side]): Figure[] => {
      const of = `${data} retail, ${episodes} at once, users played by a model`;
      return [
        [`CPU per turn, ${whose}`, of, side.cpuMs, cpu],
        [`turns/s, ${whose}`, of, side.turnsPerS, count],
      ];
    }),
  ];
}

async function runTau3(
  dir: string,
  { tau2Packages }: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const benches = await benchTau3({
    dir,
    packages: tau2Packages,
    onStage: (text) => showStage(context, text),
  });
  showStage(context, null);
  const figures = benches.flatMap(tau3Figures);
  context.terminal.print(figureTable(figures));
  return { json: figureJson(figures) };
}

function tau3Figures(
  { domain, tasks, goldEpisodesPerS, bytesPerEpisode, pythonEpisodesPerS }:
    Tau3Bench,
): Figure[] {
  const of = `tau3-bench ${domain}, ${tasks} tasks, CPU time`;
  const rate = (n: number) => n < 10 ? n.toFixed(2) : count(n);
  const ours: KeyedRow[] = [
    ["gold episodes/s", goldEpisodesPerS, rate, "gold_episodes_per_s"],
    ["bytes per live episode", bytesPerEpisode, bytes, "bytes_per_episode"],
  ];
  if (pythonEpisodesPerS !== null) {
    const key = "python_gold_episodes_per_s";
    const ratio = goldEpisodesPerS.median / pythonEpisodesPerS.median;
    ours.push(
      ["gold episodes/s, in Python", pythonEpisodesPerS, rate, key],
      ["speedup over Python", measured([ratio]), count, "times_python"],
    );
  }
  return keyed(of, `tau3.${domain}`, ours);
}

async function runVerify(
  model: ModelName,
  context: TaskContext,
): Promise<TaskResult> {
  const bench = await benchVerify({
    model,
    onStage: (text) => showStage(context, text),
  });
  showStage(context, null);
  const { cold, warm, peakBytes } = bench;
  const of = `two checkpoints of ${model}, ${bytes(bench.bytes)}`;
  const rate = (n: number) => `${bytes(n)}/s`;
  context.terminal.print(figureTable([
    ...Object.entries({ cold, warm }).flatMap(([how, pair]): Figure[] => [
      [`convert --verify, ${how}`, of, pair.verify, rate],
      [`sha256sum, ${how}`, of, pair.sha256sum, rate],
      [`speed relative to sha256sum, ${how}`, of, pair.ratio, times],
    ]),
    ["peak memory", of, peakBytes, bytes],
  ]));
  return { json: { ...bench } };
}

async function runEstimators(
  chosen: string | true,
  flags: BenchFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const { recipe, set, steps, seeds, threads, runs } = flags;
  const base = await readRecipe(recipe ?? "default");
  const given: Override[] = [
    ...set.map(parseSet),
    { path: ["threads"], value: threads, origin: "--threads" },
    ...(steps === undefined
      ? []
      : [{ path: ["rl", "steps"], value: steps, origin: "--steps" }]),
  ];
  const { data } = resolveConfig(base, given);
  const bench = await benchEstimators({
    recipe: base,
    overrides: [
      ...given,
      ...benchmarkOverrides(flags, data.source, { selectedBy: null }),
    ],
    variants: chosen === true ? VARIANT_NAMES : variantsNamed(chosen),
    seeds,
    runs,
    signal: context.signal,
    onStage: (text) => showStage(context, text),
  });
  showStage(context, null);
  context.terminal.print(variantTable(bench));
  return { json: Object.fromEntries(bench) };
}

/**
 * Parses a comma-separated list of variants.
 * @throws {ConfigError} If a name is unknown.
 */
function variantsNamed(text: string): string[] {
  return text.split(",").map((name) => {
    if (VARIANT_NAMES.includes(name)) return name;
    throw new ConfigError(`--estimators: unknown name "${name}"`, {
      hint: `choose from ${VARIANT_NAMES.join(",")}`,
    });
  });
}

/**
 * Returns a table of each variant's pass^1 on test: the mean over the seeds, and the value for each seed. The last
 * column is the mean training time.
 */
function variantTable(bench: ReadonlyMap<string, VariantRun[]>): string {
  const passes = (values: readonly (number | null)[]) => [
    mean(values.map((value) => value ?? NaN)).toFixed(3),
    values.map((value) => value?.toFixed(3) ?? "–").join(" "),
  ];
  return table([
    ["pass^1 on test", "sampled", "by seed", "greedy", "by seed", "seconds"],
    ...bench.entries().map(([name, runs]) => [
      name,
      ...passes(runs.map(({ sampled }) => sampled)),
      ...passes(runs.map(({ greedy }) => greedy)),
      mean(runs.map(({ seconds }) => seconds)).toFixed(0),
    ]),
  ]);
}

/**
 * A row of the results table: the name of a figure, what it was measured on, the measured values, the function that
 * formats them, and its key in the output of `--json`.
 */
type Figure = readonly [
  name: string,
  of: string,
  figure: Measured,
  show: (value: number) => string,
  key?: string,
];

function figuresOf(
  { data, environment, template, http, sessions, cpu }: {
    readonly data: string;
    readonly environment: EnvironmentBench;
    readonly template: TemplateBench;
    readonly http: HttpBench;
    readonly sessions: SessionsBench;
    readonly cpu: CpuBench;
  },
): Figure[] {
  const policy = `${count(cpu.parameters)} parameters, ${cpu.threads} threads`;
  const talk =
    `${http.episodes} conversations at once, ${http.latencyMs} ms per call`;
  const world = `${data} retail, ${environment.tasks} tasks, one core`;
  const gflops = (n: number) => n.toFixed(1);
  const ms = (n: number) => `${n.toFixed(2)} ms`;
  const { goldEpisodesPerS, bytesPerEpisode } = environment;
  const { ownShare, waitingShare, callsPerS } = http;
  const product = "matrix product, GFLOP/s";
  return [
    ...keyed(world, "env.retail", [
      ["gold episodes/s", goldEpisodesPerS, count, "gold_episodes_per_s"],
      ["bytes per live episode", bytesPerEpisode, bytes, "bytes_per_episode"],
    ]),
    ...keyed("Qwen3's chat template", "template", [
      ["openings/s, with tools", template.opensPerS, count, "opens_per_s"],
      ["turns/s", template.turnsPerS, count, "turns_per_s"],
    ]),
    ...keyed(talk, "http", [
      ["share of time spent in taulab", ownShare, percent, "own_share"],
      [
        "share of time beyond the latency",
        waitingShare,
        percent,
        "beyond_latency_share",
      ],
      ["calls/s", callsPerS, count, "calls_per_s"],
    ]),
    ...keyed(`serve --env, ${count(sessions.sessions)} sessions`, "serve", [
      ["step, without its HTTP request", sessions.stepMs, ms, "step_ms"],
      ["HTTP request of the same size", sessions.plainMs, ms, "plain_ms"],
      [
        "heap per session",
        sessions.bytesPerSession,
        bytes,
        "bytes_per_session",
      ],
      [
        "memory per WebSocket, both ends",
        sessions.bytesPerSocket,
        bytes,
        "bytes_per_socket",
      ],
    ]),
    ...keyed(policy, "cpu", [
      ["trained tokens/s", cpu.trainTokensPerS, count, "train_tokens_per_s"],
      ["sampled tokens/s", cpu.sampleTokensPerS, count, "sample_tokens_per_s"],
      ["prompt tokens/s", cpu.promptTokensPerS, count, "prompt_tokens_per_s"],
    ]),
    ...keyed("taulab's kernel, one thread", "cpu", [
      [product, cpu.matmulGflops, gflops, "matmul_gflops"],
    ]),
    ...keyed("jax-js, its own threads", "jax", [
      [product, cpu.jaxMatmulGflops, gflops, "matmul_gflops"],
    ]),
    ...keyed("taulab's kernel over jax-js", "cpu", [
      ["relative speed", cpu.matmulRatio, times, "matmul_ratio"],
    ]),
  ];
}

type KeyedRow = [Figure[0], Measured, Figure[3], key: string];

function keyed(
  of: string,
  prefix: string,
  rows: readonly KeyedRow[],
): Figure[] {
  return rows.map((
    [name, figure, show, key],
  ) => [name, of, figure, show, `${prefix}.${key}`]);
}

function figureTable(figures: readonly Figure[]): string {
  return table([
    ["figure", "measured on", "median", "spread"],
    ...figures.map(([name, of, { median, spread }, show]) => [
      name,
      of,
      show(median),
      spread.map(show).join(" to "),
    ]),
  ]);
}

/**
 * Returns the figures as an object for `--json`. The key of a figure maps to its median, and the same key with the
 * suffix `.spread` maps to the smallest and the largest value.
 */
function figureJson(figures: readonly Figure[]): Record<string, unknown> {
  return Object.fromEntries(
    figures.flatMap(([, , { median, spread }, , key]) => [
      [key, median],
      [`${key}.spread`, spread],
    ]),
  );
}

function times(value: number): string {
  return value.toFixed(2);
}

export const task = await main(import.meta, {
  name: "bench",
  summary:
    "Measure the speed and memory of the environment and of the CPU policy",
  flags,
  examples: [
    {
      command: "deno task bench --tau-bench ../tau-bench",
      does: "measure the environment on the real τ-retail",
    },
    {
      command: "deno task bench --tau3-bench ../tau3-bench",
      does:
        "compare taulab with Python in gold episodes per second on tau3-bench",
    },
    {
      command: "deno task bench --workers 2",
      does:
        "compare the episodes per second of deno task evaluate in one process and in two",
    },
    {
      command: "deno task bench --verify Qwen3-0.6B",
      does:
        "measure the memory of convert --verify, and its speed relative to sha256sum",
    },
    {
      command: "deno task bench --estimators",
      does:
        "compare pass^1 across estimators, ratios and credits, on the default recipe",
    },
    {
      command:
        "deno task bench --estimators dr-grpo,gigpo --seeds 1 --steps 40",
      does: "compare dr-grpo and gigpo in short runs with one seed",
    },
    {
      command: "deno task bench --json",
      does: "print the figures as one JSON object",
    },
  ],
  run,
});
