/**
 * Provides recipes and plans for runs of a stand-in train.py, and launches them. All tests in a file share one Ray
 * cluster.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openDataset } from "../../train/config/open_dataset.ts";
import type { AnyMetrics } from "../../train/runs/metrics.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";
import { resolveSlime } from "../../train/slime/slime_config.ts";
import { type Fleet, openFleet } from "../../train/slime/launch/fleet.ts";
import {
  type LaunchResult,
  launchRun,
} from "../../train/slime/launch/launch.ts";
import { planLaunch } from "../../train/slime/plan/slime_plan.ts";
import { readHooks } from "../../train/slime/read_hooks.ts";
import { RayJobs } from "../../train/slime/launch/ray_jobs.ts";
import { planData } from "../../train/slime/plan/slime_rows.ts";
import { SlimeRun } from "../../train/slime/launch/slime_run.ts";
import { TINY_CONFIG } from "./policy_run.ts";
import { freePort, rayPython, smallRay } from "./ray.ts";

const SLIME = fileURLToPath(new URL("./slime", import.meta.url));

/** The directories and ports that the runs of a test file share. */
export interface LaunchWorld {
  readonly dir: string;
  readonly runs: string;
  readonly port: number;
  readonly dashboardPort: number;
  readonly agentPort: number;
  readonly jobs: RayJobs;
}

/** Returns the path and the text of each Python file in the stand-in checkout of slime. */
export async function slimeFiles(): Promise<[string, string][]> {
  const files: [string, string][] = [];
  async function add(dir: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(join(SLIME, dir))) {
      const path = join(dir, name);
      if (isDirectory) await add(path);
      else if (name.endsWith(".py")) {
        files.push([path, await Deno.readTextFile(join(SLIME, path))]);
      }
    }
  }
  await add("");
  return files;
}

/**
 * Chooses the directories and ports for the runs of a test file, and writes their `ray` script to `dir`.
 * `dir` must be short, because the paths of Ray's sockets begin with it.
 */
export async function launchWorld(dir: string): Promise<LaunchWorld> {
  const dashboardPort = freePort();
  await Deno.writeTextFile(join(dir, "ray"), smallRay(), { mode: 0o755 });
  return {
    dir,
    runs: join(dir, "runs"),
    port: freePort(),
    dashboardPort,
    agentPort: freePort(),
    jobs: new RayJobs({ url: `http://127.0.0.1:${dashboardPort}` }),
  };
}

/** The settings of a run in a test. */
export interface RunShape {
  /** The URL of an episode server that also acts as the router; `null` if the run starts its own servers. */
  readonly episodes: string | null;
  readonly engine: number;
  readonly model?: string;
  /** Number of GPUs. Default: 1. */
  readonly gpus?: number;
  readonly steps: number;
  readonly batchSize: number;
  readonly groupSize: number;
  readonly evalEvery?: number;
  readonly saveEvery?: number;
  /**
   * The kind of asynchronous training. If it is set, `gpus` counts only the trainer's GPUs, and the engine has an
   * additional GPU. Default: synchronous training.
   */
  readonly async?: "one-step" | "full";
  /** Environment variables that control the stand-in train.py. */
  readonly env?: Readonly<Record<string, string>>;
  readonly servePort?: number;
}

/** Returns the recipe of a run with the given settings. */
export function launchRecipe(world: LaunchWorld, shape: RunShape) {
  const { dir, port, dashboardPort, agentPort } = world;
  return {
    trainer: "slime",
    data: { source: "generated", generated: TINY_CONFIG.data.generated },
    user: { strategy: "scripted" },
    prompt: "none",
    model: { name: "Qwen3-0.6B", directory: shape.model ?? join(dir, "model") },
    paths: {
      slime: SLIME,
      megatron: join(dir, "megatron"),
      python: rayPython(),
      ray: join(dir, "ray"),
      runs: join(dir, "hosts"),
    },
    cluster: {
      gpusPerNode: shape.gpus ?? 1,
      hostGpus: 4,
      ...shape.async && { colocate: false, rolloutGpus: 1 },
      port,
      dashboardPort,
      agentPort,
      tempDir: join(dir, "r"),
      env: shape.env ?? {},
    },
    parallel: { tensor: 1, sequence: false },
    ...shape.async &&
      { algorithm: { async: shape.async, importanceSampling: true } },
    rollout: {
      steps: shape.steps,
      batchSize: shape.batchSize,
      groupSize: shape.groupSize,
      globalBatchSize: shape.batchSize * shape.groupSize / 2,
      maxResponseLen: 16,
      maxContextLen: 2048,
      maxTurns: 2,
      // An untrained policy earns no reward, so the filter would drop every group.
      ...(shape.episodes === null ? { filter: null } : {}),
    },
    eval: { every: shape.evalEvery ?? 0, splits: ["dev"] },
    checkpoint: {
      directory: join(dir, "checkpoints"),
      every: shape.saveEvery ?? 2,
    },
    engine: { routerPort: shape.engine },
    bridge: {
      services: shape.episodes === null ? [] : [shape.episodes],
      processes: 1,
      port: shape.servePort ?? 8400,
    },
  };
}

/** Optional settings of {@linkcode launch}. */
export interface LaunchMore {
  readonly session?: number;
  readonly fromStep?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: AnyMetrics) => void;
  readonly onNote?: (text: string) => void;
  readonly jobsUrl?: string;
}

/** Launches a run, or resumes it if `session` is greater than 1, and follows it. */
export async function launch(
  world: LaunchWorld,
  { name, shape, ...more }: { name: string; shape: RunShape } & LaunchMore,
): Promise<LaunchResult & { run: SlimeRun }> {
  const { session = 1, fromStep = 0, jobsUrl } = more;
  const text = JSON.stringify(launchRecipe(world, shape));
  const slime = resolveSlime({ name: "test", text });
  const { config } = slime;
  const dataset = await openDataset(config.data);
  const data = planData(dataset, config);
  const path = join(world.runs, name);
  const plan = planLaunch(slime, {
    run: name,
    session,
    hosts: [],
    hooks: await readHooks(),
    runDir: path,
    data,
    nvlink: null,
    routerPolicies: null,
    measured: null,
    measuredTraining: null,
    notes: [],
  });
  const { fingerprint } = dataset;
  const run = session > 1 ? await SlimeRun.open(path) : await SlimeRun.create(
    path,
    {
      config,
      info: await newRunInfo({
        trainer: "slime",
        seed: 1,
        dataset: { name: dataset.name, fingerprint },
        now: new Date(),
      }),
    },
  );
  await using _ = run;
  await using fleet = testFleet(jobsUrl);
  const result = await launchRun({
    run,
    plan,
    fleet,
    fromStep,
    evalTasks: { dev: dataset.tasks("dev").length },
    env: () => undefined,
    pollMs: 300,
    ...more,
  });
  return { ...result, run };
}

/** Opens a fleet that consists of this machine. If `jobsUrl` is given, Ray is reached at that URL. */
export function testFleet(jobsUrl?: string): Fleet {
  const fleet = openFleet([], { env: () => undefined });
  return jobsUrl === undefined ? fleet : {
    ...fleet,
    jobsOf: () =>
      Promise.resolve(
        new RayJobs({ url: jobsUrl, retries: 1, timeoutMs: 2_000 }),
      ),
  };
}
