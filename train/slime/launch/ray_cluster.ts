/**
 * Manages the Ray cluster of a run: joins a running cluster or starts a new one. Only a cluster that was started for
 * the run is stopped.
 *
 * `ray stop` would end all of the user's Ray processes on a host. All processes of a cluster that is started for a run
 * therefore have a unique mark in their environment. The mark is written to disk before the start, so that it is known
 * even after a crash.
 */

import { z } from "zod";
import { HostError, RayError } from "../../../env/errors.ts";
import { poll } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import { RUN_KEY } from "../plan/plan_cluster.ts";
import type { PlannedCommand, RayPlan } from "../plan/slime_plan.ts";
import {
  isFinal,
  type RayGpus,
  type RayJob,
  type RayJobs,
} from "./ray_jobs.ts";

/** The schema of a Ray cluster that was started for a run, as recorded in the run dir. */
export const startedRaySchema = z.object({
  /** The value of {@linkcode RAY_MARK} in the environment of the cluster's processes. */
  mark: z.string(),
  /** The names of the hosts on which a start was attempted, starting with the head. */
  hosts: z.array(z.string()),
});

/** A Ray cluster that was started for a run. */
export type StartedRay = Readonly<z.infer<typeof startedRaySchema>>;

/** The environment variable that marks a Ray process with the run that started it. */
export const RAY_MARK = "TAULAB_RAY";

/** Options for {@linkcode joinRay} and {@linkcode startRay}. */
export interface ClusterOptions extends CallOptions {
  readonly jobs: RayJobs;
  readonly shellOf: (host: string) => Shell;
  /** Reads an environment variable of this process. Some variables are passed on to the commands. */
  readonly env: (name: string) => string | undefined;
  /** Whether to use the cluster even if other jobs use GPUs that the run needs. Default: `false`. */
  readonly beside?: boolean;
  readonly onNote?: (text: string) => void;
  /** Called with the record of a cluster before it is started. The start waits for the returned promise. */
  readonly onStart: (started: StartedRay) => Promise<void>;
  /**
   * The time limit in milliseconds for a started head to respond, and then again for the cluster to have its GPUs.
   * Default: 300,000.
   */
  readonly startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 300_000;
const POLL_MS = 500;
/** The maximum age in milliseconds of Ray's report on its GPUs. */
const REPORT_MS = 12_000;

/**
 * Joins the cluster that responds at the head.
 * @returns Whether a cluster responds.
 * @throws {RayError} If the cluster has too few free GPUs or denies access, or something other than Ray responds.
 */
export async function joinRay(
  plan: RayPlan,
  options: Omit<ClusterOptions, "onStart">,
): Promise<boolean> {
  const version = await answering(options);
  if (version === undefined) return false;
  options.onNote?.(`Joined Ray ${version} at ${options.jobs.url}`);
  await requireGpus(plan, options);
  return true;
}

/**
 * Starts a cluster and waits until it has its GPUs. If the start fails, everything that was started is stopped.
 * @throws {RayError} If the recipe forbids starting a cluster, or the cluster does not respond or has too few GPUs
 * after its start.
 * @throws {HostError} If Ray does not start on a host.
 */
export async function startRay(
  plan: RayPlan,
  options: ClusterOptions,
): Promise<StartedRay> {
  if (plan.head === null) {
    throw new RayError(
      `Ray does not respond at ${options.jobs.url}, and cluster.start is false`,
      {
        kind: "unreachable",
        hint: "start the head, or set cluster.start to true",
      },
    );
  }
  return await start({ ...plan, head: plan.head }, options);
}

async function answering(
  { jobs, signal }: Pick<ClusterOptions, "jobs" | "signal">,
): Promise<string | undefined> {
  try {
    const { version } = await jobs.version(
      { signal },
    );
    return version;
  } catch (error) {
    if (error instanceof RayError && error.kind === "unreachable") {
      return undefined;
    }
    throw error; // something other than Ray responds, or Ray denies access
  }
}

/**
 * Checks that a cluster has enough free GPUs, because slime would wait for missing GPUs forever.
 * @throws {RayError} If the cluster has too few GPUs; unless `beside` is set, also if too few of them are free, or if
 * other jobs are running and Ray does not report its GPUs.
 */
async function requireGpus(
  plan: RayPlan,
  { jobs, beside = false, onNote, signal }: Omit<ClusterOptions, "onStart">,
): Promise<void> {
  const options = { signal };
  const { gpus, running } = await freeGpus(plan.gpus, { jobs, ...options });
  const names = running.map(nameOf).join(", ");
  if (gpus === undefined) {
    if (running.length === 0 || beside) return;
    throw new RayError(
      `Ray at ${jobs.url} does not report its free GPUs, and is running ${names}`,
      {
        kind: "refused",
        hint: "stop these jobs, or pass --beside to launch anyway",
      },
    );
  }
  if (gpus.total < plan.gpus) {
    throw new RayError(
      `Ray at ${jobs.url} has too few GPUs (${gpus.total} instead of ${plan.gpus}), so the run would wait forever`,
      {
        kind: "refused",
        hint:
          "add hosts to the cluster, or lower cluster.nodes or cluster.gpusPerNode",
      },
    );
  }
  const free = gpus.total - gpus.used;
  if (free < plan.gpus && !beside) {
    throw new RayError(
      `Ray at ${jobs.url} has too few free GPUs: ${free} of ${gpus.total}, but the run needs ${plan.gpus}; ${
        names === ""
          ? "no job is running, but a leftover actor holds GPUs"
          : `running: ${names}`
      }`,
      {
        kind: "refused",
        hint: `${
          running.map((job) => stopHint(job))[0] ?? "restart the Ray cluster"
        }, or pass --beside to launch anyway`,
      },
    );
  }
  if (running.length > 0) onNote?.(`Ray is also running ${names}`);
}

/**
 * Returns the cluster's GPUs and its running jobs. If a job has just ended, waits until its GPUs are counted as free,
 * because Ray's report is a few seconds old.
 */
async function freeGpus(
  wanted: number,
  { jobs, ...options }: CallOptions & { readonly jobs: RayJobs },
): Promise<{ gpus: RayGpus | undefined; running: RayJob[] }> {
  return await poll(async () => {
    const gpus = await jobs.gpus(options);
    const all = await jobs.list(options);
    const isEnough = gpus === undefined || gpus.total < wanted ||
      gpus.total - gpus.used >= wanted;
    const isStale = all.some(({ endedMs }) =>
      endedMs !== null && Date.now() - endedMs < REPORT_MS
    );
    return isEnough || !isStale
      ? { gpus, running: all.filter(({ state }) => !isFinal(state)) }
      : undefined;
  }, { ...options, everyMs: POLL_MS });
}

function nameOf({ submissionId, entrypoint, state }: RayJob): string {
  const name = submissionId ?? entrypoint;
  return name === "" ? `a driver (${state})` : `"${name}" (${state})`;
}

/**
 * Returns a hint that says how to stop a job. A job of a taulab run is stopped together with the run's servers, on the
 * machine that launched the run.
 * @param address The URL of Ray's Jobs API. Default: the URL that the `ray` command uses.
 */
export function stopHint(
  { submissionId, metadata }: Pick<RayJob, "submissionId" | "metadata">,
  address?: string,
): string {
  const run = metadata[RUN_KEY];
  if (run !== undefined) {
    return `stop that run with "deno task train --stop ${run}" where it was launched`;
  }
  // It was not submitted as a job, and Ray cannot stop it.
  if (submissionId === null) return "end the program that connected to Ray";
  const at = address === undefined ? "" : ` --address ${address}`;
  return `stop that job with "ray job stop ${submissionId}${at}"`;
}

async function start(
  plan: RayPlan & { readonly head: PlannedCommand },
  options: ClusterOptions,
): Promise<StartedRay> {
  const commands = [plan.head, ...plan.workers];
  const started = {
    mark: crypto.randomUUID(),
    hosts: commands.map(({ host }) => host),
  };
  await options.onStart(started);
  try {
    for (const command of commands) {
      options.onNote?.(`Starting Ray on ${command.host}`);
      await startNode(command, { ...options, mark: started.mark });
      if (command === plan.head) await waitForHead(options);
    }
    await waitForGpus(plan, options);
    return started;
  } catch (error) {
    await stopRay(started, options.shellOf).catch(() => {});
    throw error;
  }
}

/** Starts Ray on a host, in a separate process session, so that Ctrl-C in this terminal does not reach it. */
async function startNode(
  { host, cwd, words, env, passEnv }: PlannedCommand,
  { shellOf, mark, signal, ...options }: ClusterOptions & {
    readonly mark: string;
  },
): Promise<void> {
  const passed = passEnv.flatMap((name) => {
    const value = options.env(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const { code, stdout, stderr } = await shellOf(host).run({
    script: `${quoteWords(["setsid", "-w", ...words])} </dev/null`,
    env: { ...env, ...Object.fromEntries(passed), [RAY_MARK]: mark },
    ...(cwd === null ? {} : { cwd }),
  }, { signal });
  if (code === 0) return;
  const said = `${stdout}\n${stderr}`;
  const lines = said.trim().split("\n").filter((line) => line.trim() !== "");
  const last = lines.slice(-3).join(" ").trim();
  const hint = startHint(said, last);
  throw new HostError(
    `Ray did not start on ${host} (exit status ${code})${
      last === "" ? "" : `: ${last}`
    }`,
    hint === undefined ? {} : { hint },
  );
}

function startHint(said: string, last: string): string | undefined {
  if (/not found|No such file/.test(last)) {
    return "install Ray on that host, or set paths.ray to its ray command";
  }
  if (/already (?:running|in use)|is trying to use a port/.test(said)) {
    return "stop the other Ray that uses one of the ports, or set cluster.port, cluster.dashboardPort and cluster.agentPort";
  }
  return undefined;
}

/** Waits until the head responds. */
async function waitForHead(options: ClusterOptions): Promise<void> {
  const { jobs, startTimeoutMs = START_TIMEOUT_MS, signal } = options;
  const isUp = await poll(async () => {
    try {
      return await answering(options);
    } catch (error) {
      if (error instanceof RayError) return undefined; // it may not be ready yet
      throw error;
    }
  }, { everyMs: POLL_MS, timeoutMs: startTimeoutMs, signal });
  if (isUp) return;
  throw new RayError(
    `Ray was started, but did not respond at ${jobs.url} within ${
      startTimeoutMs / 1000
    } s`,
    {
      kind: "timeout",
      hint:
        "check cluster.dashboardPort, and dashboard.log in Ray's temporary directory",
    },
  );
}

/**
 * Waits until the cluster has the GPUs that the run needs. Does not wait if Ray does not report its GPUs.
 * @throws {RayError} If the cluster does not have enough GPUs in time.
 */
async function waitForGpus(
  plan: RayPlan,
  options: ClusterOptions,
): Promise<void> {
  const { jobs, startTimeoutMs = START_TIMEOUT_MS, signal } = options;
  let total = 0;
  const areThere = await poll(async () => {
    const gpus = await jobs.gpus({ signal });
    total = gpus?.total ?? 0;
    return gpus === undefined || total >= plan.gpus || undefined;
  }, { everyMs: POLL_MS, timeoutMs: startTimeoutMs, signal });
  if (areThere) return;
  throw new RayError(
    `Ray at ${plan.address} has too few GPUs (${total} instead of ${plan.gpus}) ${
      startTimeoutMs / 1000
    } s after its start on ${
      [plan.head, ...plan.workers].map((one) => one?.host).join(", ")
    }`,
    {
      kind: "timeout",
      hint:
        "check that the hosts can reach the head, and check cluster.gpusPerNode",
    },
  );
}

/** The result of stopping Ray on a host. */
export interface StoppedNode {
  readonly host: string;
  /** The number of processes that had the mark. */
  readonly found: number;
  /** The number of processes with the mark that still exist. */
  readonly left: number;
}

/**
 * Stops a Ray cluster that was started for a run, on each host. As in Ray itself, the raylet is stopped first, and the
 * server process of the head last.
 * @returns The results in the order of `hosts`.
 * @throws {HostError} If a host cannot be reached, or a process does not end.
 */
export async function stopRay(
  { mark, hosts }: StartedRay,
  shellOf: (host: string) => Shell,
): Promise<StoppedNode[]> {
  const stopped: StoppedNode[] = [];
  // Workers come before the head, because they would report its absence as an error.
  for (const host of hosts.toReversed()) {
    stopped.push(await stopNode(host, { mark, shell: shellOf(host) }));
  }
  return stopped.reverse();
}

/**
 * Checks whether the server process of the head (`gcs_server`) is still running. Without it, a dashboard may return
 * errors or not respond for minutes.
 * @returns Whether the process is running; also `false` if the head's container is not running.
 * @throws {HostError} If the host cannot be reached.
 */
export async function isHeadAlive(
  { mark, hosts: [head] }: StartedRay,
  shellOf: (host: string) => Shell,
): Promise<boolean> {
  const output = await ifUp(() =>
    shellOf(head!).run({
      script: HEAD_SCRIPT.replace("MARK", () => `${RAY_MARK}=${mark}`),
    })
  );
  return output !== undefined && output.stdout.trim() !== "";
}

/**
 * Checks whether the head of a cluster that was started for a run has ended. Returns `false` if its host cannot be
 * reached.
 */
export async function isHeadGone(
  started: StartedRay,
  shellOf: (host: string) => Shell,
): Promise<boolean> {
  try {
    return !await isHeadAlive(started, shellOf);
  } catch (error) {
    if (error instanceof HostError) return false;
    throw error;
  }
}

/** Returns the result of a command; `undefined` if the container that it needs is not running. */
async function ifUp<T>(command: () => Promise<T>): Promise<T | undefined> {
  try {
    return await command();
  } catch (error) {
    if (error instanceof HostError && error.isDown) return undefined;
    throw error;
  }
}

const HEAD_SCRIPT = `
grep -lzxF -e 'MARK' /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
  IFS= read -r name <"/proc/$pid/comm" && [ "$name" = gcs_server ] && echo "$pid"
done
:`;

async function stopNode(
  host: string,
  { mark, shell }: { mark: string; shell: Shell },
): Promise<StoppedNode> {
  const output = await ifUp(() =>
    shell.run({
      script: STOP_SCRIPT.replace("MARK", () => `${RAY_MARK}=${mark}`),
    })
  );
  if (output === undefined) return { host, found: 0, left: 0 };
  const { code, stdout, stderr } = output;
  const [found = 0, left = 0] = stdout.trim().split(" ").map(Number);
  if (code === 0 && left === 0) return { host, found, left };
  throw new HostError(
    `Cannot stop Ray on ${host}: ${
      stderr.trim() || `processes still running: ${left} of ${found}`
    }`,
    {
      hint: `end the processes with ${RAY_MARK}=${mark} in their environment`,
    },
  );
}

/**
 * A script that stops the marked processes of a host. It looks for the processes again before each signal, so that a
 * reused process id is never signaled.
 */
const STOP_SCRIPT = `
[ -d /proc/self ] || { echo "no /proc on this host" >&2; exit 1; }
members() {
  grep -lzxF -e 'MARK' /proc/[0-9]*/environ 2>/dev/null | while IFS=/ read -r _ _ pid _; do
    case "$1" in
      all) echo "$pid" ;;
      *) IFS= read -r line <"/proc/$pid/comm" && [ "$line" = "$1" ] && echo "$pid" ;;
    esac
  done
}
signal() { for pid in $(members "$2"); do kill -"$1" "$pid" 2>/dev/null; done; }
await() { n=0; while [ -n "$(members "$1")" ] && [ $n -lt "$2" ]; do sleep 0.2; n=$((n + 1)); done; }
found=$(members all | wc -l)
signal TERM raylet; await raylet 50
for pid in $(members all); do
  IFS= read -r name <"/proc/$pid/comm" && [ "$name" != gcs_server ] && kill -TERM "$pid" 2>/dev/null
done
n=0; while [ "$(members all | wc -l)" -gt "$(members gcs_server | wc -l)" ] && [ $n -lt 25 ]; do sleep 0.2; n=$((n + 1)); done
signal TERM all; await all 25
signal KILL all; await all 25
echo $((found)) $(members all | wc -l)
`;
