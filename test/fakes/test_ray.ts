/**
 * A real Ray of Python's, small and on loopback, and a wire to it that can be cut.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { localShell } from "../../train/hosts/local_shell.ts";
import type { RayPlan } from "../../train/slime/plan.ts";
import { RayJobs } from "../../train/slime/ray.ts";
import {
  joinOrStartRay,
  type StartedRay,
  stopRay,
} from "../../train/slime/ray_cluster.ts";
import { testPython } from "./python.ts";

/** The tests' interpreter; of tests that are ignored without it. */
export function rayPython(): string {
  return testPython() ?? "python3";
}

/** A port that was free a moment ago. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** How to start a Ray of two made-up GPUs, whose files are below `dir`; its path has to be short, for sockets. */
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
      env: {},
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

/** A cluster that is gone after the test. */
export interface TestRay extends AsyncDisposable {
  readonly plan: RayPlan;
  readonly jobs: RayJobs;
  readonly started: StartedRay;
}

/** Starts one. */
export async function startTestRay(): Promise<TestRay> {
  const dir = await Deno.makeTempDir({ prefix: "r" });
  const plan = rayPlan(dir);
  const jobs = new RayJobs({ url: plan.jobsUrl });
  const started = await joinOrStartRay(plan, {
    jobs,
    shellOf: () => localShell(),
    env: () => undefined,
    onStart: () => Promise.resolve(),
  });
  if (started === null) throw new Error("The port was not free after all");
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

/** A wire between two ports that can be cut and mended. */
export interface CutWire extends AsyncDisposable {
  readonly url: string;
  /** Breaks what is connected, and refuses what comes. */
  cut(): void;
  mend(): void;
}

/** Lays a wire to a port of this machine. */
export function cutWire(port: number): CutWire {
  const own = freePort();
  let listener: Deno.TcpListener | undefined;
  const connections = new Set<Deno.Conn>();
  async function accept(from: Deno.TcpListener): Promise<void> {
    for await (const near of from) link(near).catch(() => {});
  }
  async function link(near: Deno.Conn): Promise<void> {
    const far = await Deno.connect({ hostname: "127.0.0.1", port });
    const both = [near, far];
    for (const one of both) connections.add(one);
    try {
      await Promise.all([
        near.readable.pipeTo(far.writable),
        far.readable.pipeTo(near.writable),
      ]);
    } finally {
      for (const one of both) {
        connections.delete(one);
        close(one);
      }
    }
  }
  const wire: CutWire = {
    url: `http://127.0.0.1:${own}`,
    cut() {
      listener?.close();
      listener = undefined;
      for (const one of connections) close(one);
    },
    mend() {
      listener = Deno.listen({ hostname: "127.0.0.1", port: own });
      accept(listener).catch(() => {});
    },
    [Symbol.asyncDispose]() {
      wire.cut();
      return Promise.resolve();
    },
  };
  wire.mend();
  return wire;
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // it is closed
  }
}
