/** Starts small Ray clusters on loopback. */

import { dirname, join } from "node:path";
import { localShell } from "../../train/slime/hosts/local_shell.ts";
import type { RayPlan } from "../../train/slime/plan/slime_plan.ts";
import { RayJobs } from "../../train/slime/launch/ray_jobs.ts";
import {
  type StartedRay,
  startRay,
  stopRay,
} from "../../train/slime/launch/ray_cluster.ts";
import { freePort, rayPython } from "./ray.ts";

/**
 * Returns the plan of a Ray cluster that has simulated GPUs and stores its files below `dir`. The path `dir` must be
 * short, because the paths of Ray's sockets begin with it.
 */
export function rayPlan(dir: string, gpus = 2): RayPlan {
  const dashboardPort = freePort();
  const port = freePort();
  const flags = {
    "node-ip-address": "127.0.0.1",
    port,
    "num-cpus": 2,
    "num-gpus": gpus,
    "dashboard-host": "127.0.0.1",
    "dashboard-port": dashboardPort,
    "dashboard-agent-listen-port": freePort(),
    "min-worker-port": 0,
    "max-worker-port": 0,
    "object-store-memory": 100_000_000,
    "temp-dir": dir,
  };
  return {
    head: {
      host: "this machine",
      cwd: null,
      words: [
        join(dirname(rayPython()), "ray"),
        "start",
        "--head",
        "--disable-usage-stats",
        ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      ],
      env: { RAY_DASHBOARD_SUBPROCESS_MODULE_WAIT_READY_TIMEOUT: "280" },
      passEnv: [],
    },
    workers: [],
    address: `127.0.0.1:${port}`,
    jobsUrl: `http://127.0.0.1:${dashboardPort}`,
    dashboardPort,
    tempDir: dir,
    hostGpus: gpus,
    gpus,
    ports: [],
  };
}

/** A temporary Ray cluster. Disposing of it stops the cluster. */
export interface TestRay extends AsyncDisposable {
  readonly plan: RayPlan;
  readonly jobs: RayJobs;
  readonly started: StartedRay;
}

/** Starts a temporary Ray cluster. */
export async function startTestRay(): Promise<TestRay> {
  const dir = await Deno.makeTempDir({ prefix: "r" });
  const plan = rayPlan(dir);
  const jobs = new RayJobs({ url: plan.jobsUrl });
  const started = await startRay(plan, {
    jobs,
    shellOf: () => localShell(),
    env: () => undefined,
    onStart: () => Promise.resolve(),
    // On a busy machine, Ray takes minutes to start.
    startTimeoutMs: 300_000,
  });
  return {
    plan,
    jobs,
    started,
    async [Symbol.asyncDispose]() {
      await stopRay(started, () => localShell());
      await Deno.remove(dir, { recursive: true });
    },
  };
}
