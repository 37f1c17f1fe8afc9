/**
 * A Ray cluster for a run: one that is there is joined, else one is started, and only what was started here is
 * ever ended.
 *
 * `ray stop` ends every Ray of the user on a host. Here each process that a start brings forth carries a mark in
 * its environment that nothing else has; the mark is on disk before the start, so that it holds after a crash.
 */

import { z } from "zod";
import { HostError, RayError } from "../../../env/errors.ts";
import { poll } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quoteWords, type Shell } from "../hosts/shell.ts";
import type { PlannedCommand, RayPlan } from "../plan/slime_plan.ts";
import {
  isFinal,
  type RayGpus,
  type RayJob,
  type RayJobs,
} from "./ray_jobs.ts";

/** What was started here, as it is kept in the run dir. */
export const startedRaySchema = z.object({
  /** The value that its processes carry as {@linkcode RAY_MARK}. */
  mark: z.string(),
  /** Hosts where a start was tried, the head first. */
  hosts: z.array(z.string()),
});

/** What was started here. */
export type StartedRay = Readonly<z.infer<typeof startedRaySchema>>;

/** The environment variable that says who started a process of Ray. */
export const RAY_MARK = "TAULAB_RAY";

/** How to reach hosts and what to tell a person. */
export interface ClusterOptions extends CallOptions {
  readonly jobs: RayJobs;
  readonly shellOf: (host: string) => Shell;
  /** Reads a variable of our own environment, for those that commands pass on. */
  readonly env: (name: string) => string | undefined;
  /** Beside jobs that run already, though they hold GPUs that the run needs. Default: false. */
  readonly beside?: boolean;
  readonly onNote?: (text: string) => void;
  /** Keeps what is about to be started; awaited before it is. */
  readonly onStart: (started: StartedRay) => Promise<void>;
  /** Until a cluster that was started has to answer, and to have its GPUs. Default: 120 s. */
  readonly startTimeoutMs?: number;
}

const START_TIMEOUT_MS = 120_000;
const POLL_MS = 500;
/** How old what Ray says of its GPUs may be. */
const REPORT_MS = 12_000;

/**
 * Joins the cluster that answers at the head, or starts one.
 * @returns What was started; `null` where a cluster was joined.
 * @throws {RayError} If there is none to join, too few GPUs are free, or what was started does not come up; then
 * it is ended again.
 * @throws {HostError} If a host cannot start it.
 */
export async function joinOrStartRay(
  plan: RayPlan,
  options: ClusterOptions,
): Promise<StartedRay | null> {
  const version = await answering(options);
  if (version !== undefined) {
    options.onNote?.(`Ray ${version} answers at ${options.jobs.url}: joined`);
    await requireGpus(plan, options);
    return null;
  }
  if (plan.head === null) {
    throw new RayError(
      `No Ray answers at ${options.jobs.url}, and cluster.start is false`,
      {
        kind: "unreachable",
        hint: "start its head, or set cluster.start to true",
      },
    );
  }
  return await start({ ...plan, head: plan.head }, options);
}

async function answering(
  { jobs, signal }: ClusterOptions,
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
    throw error; // something is there, and it is no Ray, or does not let us in
  }
}

/** Refuses a cluster whose GPUs are held: slime would wait for them without end. */
async function requireGpus(
  plan: RayPlan,
  { jobs, beside = false, onNote, signal }: ClusterOptions,
): Promise<void> {
  const options = { signal };
  const { gpus, running } = await freeGpus(plan.gpus, { jobs, ...options });
  const names = running.map(nameOf).join(", ");
  if (gpus === undefined) {
    if (running.length === 0 || beside) return;
    throw new RayError(
      `Ray at ${jobs.url} does not say which GPUs are free, and runs ${names}`,
      { kind: "refused", hint: "stop what is stale, or pass --beside" },
    );
  }
  if (gpus.total < plan.gpus) {
    throw new RayError(
      `Ray at ${jobs.url} has ${gpus.total} GPUs and the run takes ${plan.gpus}: it would wait for ever`,
      {
        kind: "refused",
        hint:
          "add hosts to the cluster, or ask for fewer by cluster.nodes and cluster.gpusPerNode",
      },
    );
  }
  const free = gpus.total - gpus.used;
  if (free < plan.gpus && !beside) {
    throw new RayError(
      `Ray at ${jobs.url} has ${free} of ${gpus.total} GPUs free and the run takes ${plan.gpus}; running: ${
        names || "no job, an actor that was left over"
      }`,
      {
        kind: "refused",
        hint: "stop it (ray job stop ID), wait for it, or pass --beside",
      },
    );
  }
  if (running.length > 0) onNote?.(`It also runs ${names}`);
}

/** Ray's count of free GPUs is some seconds old: those of a job that has just ended are waited for. */
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
  return `"${submissionId ?? entrypoint}" (${state})`;
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
      if (command === plan.head) await comeUp(options);
    }
    await haveGpus(plan, options);
    return started;
  } catch (error) {
    await stopRay(started, options.shellOf).catch(() => {});
    throw error;
  }
}

/** In a session of its own, so that a Ctrl-C at our terminal does not reach it. */
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
  throw new HostError(
    `Ray did not start on ${host} (code ${code}): ${
      startFault(`${stdout}\n${stderr}`)
    }`,
  );
}

function startFault(said: string): string {
  const lines = said.trim().split("\n").filter((line) => line.trim() !== "");
  const last = lines.slice(-3).join(" ").trim();
  if (/not found|No such file/.test(last)) {
    return `${last}; install Ray there, or set paths.python to the interpreter that has it`;
  }
  if (/already (?:running|in use)|is trying to use a port/.test(said)) {
    return `${last}; another Ray has one of its ports: end that one, or set cluster.port and cluster.dashboardPort`;
  }
  return last;
}

/** Waits until the head answers. */
async function comeUp(options: ClusterOptions): Promise<void> {
  const { jobs, startTimeoutMs = START_TIMEOUT_MS, signal } = options;
  const isUp = await poll(async () => {
    try {
      return await answering(options);
    } catch (error) {
      if (error instanceof RayError) return undefined; // it may not be ready to answer well
      throw error;
    }
  }, { everyMs: POLL_MS, timeoutMs: startTimeoutMs, signal });
  if (isUp) return;
  throw new RayError(
    `Ray was started and does not answer at ${jobs.url} after ${
      startTimeoutMs / 1000
    } s`,
    {
      kind: "timeout",
      hint: "check cluster.dashboardPort, and dashboard.log in Ray's temp dir",
    },
  );
}

/** Waits until all hosts have joined: the GPUs are there. */
async function haveGpus(plan: RayPlan, options: ClusterOptions): Promise<void> {
  const { jobs, startTimeoutMs = START_TIMEOUT_MS, signal } = options;
  let total = 0;
  const areThere = await poll(async () => {
    const gpus = await jobs.gpus({ signal });
    total = gpus?.total ?? 0;
    return gpus === undefined || total >= plan.gpus || undefined;
  }, { everyMs: POLL_MS, timeoutMs: startTimeoutMs, signal });
  if (areThere) return;
  throw new RayError(
    `Ray has ${total} GPUs and the run takes ${plan.gpus}: not all of ${
      [plan.head, ...plan.workers].map((one) => one?.host).join(", ")
    } joined ${plan.address}`,
    {
      kind: "timeout",
      hint: "check that they reach it, and cluster.gpusPerNode",
    },
  );
}

/** What became of Ray on a host. */
export interface StoppedNode {
  readonly host: string;
  /** Processes that carried the mark. */
  readonly found: number;
  /** Those that are still there. */
  readonly left: number;
}

/**
 * Ends what was started here on each host: the raylet first, the head's server last, as Ray does itself.
 * @throws {HostError} If a host cannot be reached, or a process does not end.
 */
export async function stopRay(
  { mark, hosts }: StartedRay,
  shellOf: (host: string) => Shell,
): Promise<StoppedNode[]> {
  const stopped: StoppedNode[] = [];
  // Workers before the head, which they would miss.
  for (const host of hosts.toReversed()) {
    stopped.push(await stopNode(host, { mark, shell: shellOf(host) }));
  }
  return stopped.reverse();
}

/**
 * Whether the head's server that was started here still runs. Without it a dashboard may answer errors, or nothing, for
 * minutes.
 * @throws {HostError} If the host cannot be reached.
 */
export async function isHeadAlive(
  { mark, hosts: [head] }: StartedRay,
  shellOf: (host: string) => Shell,
): Promise<boolean> {
  const { stdout } = await shellOf(head!).run({
    script: HEAD_SCRIPT.replace("MARK", () => `${RAY_MARK}=${mark}`),
  });
  return stdout.trim() !== "";
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
  const output = await shell.run({
    script: STOP_SCRIPT.replace("MARK", () => `${RAY_MARK}=${mark}`),
  }).catch((error: unknown) => {
    if (error instanceof HostError && error.isDown) return undefined;
    throw error;
  });
  if (output === undefined) return { host, found: 0, left: 0 };
  const { code, stdout, stderr } = output;
  const [found = 0, left = 0] = stdout.trim().split(" ").map(Number);
  if (code === 0 && left === 0) return { host, found, left };
  throw new HostError(
    `Ray on ${host} could not be ended: ${
      stderr.trim() || `${left} of its ${found} processes are still there`
    }`,
    {
      hint: `look for processes with ${RAY_MARK}=${mark} in their environment`,
    },
  );
}

/** Looks anew before each signal, so that a process id that was given to another is not mistaken. */
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
