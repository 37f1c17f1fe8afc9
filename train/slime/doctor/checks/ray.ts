/**
 * Checks that all hosts have the same version of Ray, that no other Ray job is unfinished, and that Ray has enough free
 * GPUs.
 */

import { DEFAULT_IMAGE } from "../../setup/pins.ts";
import { RayError } from "../../../../env/errors.ts";
import { isLoopback } from "../../../../env/serve/loopback.ts";
import type { SlimeConfig } from "../../slime_schema.ts";
import {
  isFinal,
  RAY_TOKEN,
  type RayJob,
  RayJobs,
} from "../../launch/ray_jobs.ts";
import { stopHint } from "../../launch/ray_cluster.ts";
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  pass,
  verdict,
} from "../check.ts";

/** The `ray` check. */
export const check: Check = {
  id: "ray",
  order: 80,
  title:
    "all hosts have the same version of Ray, and no other job holds its GPUs",
  timeoutMs: 120_000,
  async run(context) {
    const installed = await versions(context);
    const jobs = openJobs(context);
    const running = await runningVersion(context);
    if (running instanceof RayError) {
      return notThere(context.config, { error: running, installed });
    }
    return verdict(
      [
        ...versionFaults(running, { installed, config: context.config }),
        ...await jobFaults(jobs, context),
        ...await gpuFaults(jobs, context),
      ],
      `Ray ${running} is running at ${jobs.url} without jobs; the run will join it`,
    );
  },
};

/**
 * Requests the version of Ray that is running on the head.
 * @returns The version, or the error if the request fails.
 */
export async function runningVersion(
  context: Pick<CheckContext, "config" | "env" | "reach" | "signal">,
): Promise<string | RayError> {
  const { signal } = context;
  try {
    return (await openJobs(context).version({ signal })).version;
  } catch (error) {
    if (error instanceof RayError) return error;
    throw error;
  }
}

function openJobs(
  { config: { cluster }, env, reach }: Pick<
    CheckContext,
    "config" | "env" | "reach"
  >,
): RayJobs {
  return new RayJobs({
    url: reach(jobsUrl(cluster)),
    token: env(RAY_TOKEN) || undefined,
    retries: 0,
  });
}

/** Returns the URL at which the head itself reaches Ray's Jobs API, usually on loopback. */
function jobsUrl(
  { address, dashboardHost, dashboardPort, hosts }: SlimeConfig["cluster"],
): string {
  // If the recipe names no hosts, the cluster is reached at its own address.
  const own = isLoopback(dashboardHost) || dashboardHost === "0.0.0.0"
    ? hosts.length > 0 ? "127.0.0.1" : address
    : dashboardHost;
  return `http://${own.includes(":") ? `[${own}]` : own}:${dashboardPort}`;
}

/** Returns the version of Ray on each host that has Ray. The `software` check reports the other hosts. */
async function versions(
  { hosts, facts }: CheckContext,
): Promise<Map<string, string>> {
  const all = await Promise.all(hosts.map(async (host) => {
    const python = await facts.python(host).catch(() => null);
    return [host.name, python?.packages["ray"] ?? null] as const;
  }));
  return new Map(
    all.flatMap(([host, version]) => version === null ? [] : [[host, version]]),
  );
}

function notThere(
  { cluster }: SlimeConfig,
  { error, installed }: {
    error: RayError;
    installed: ReadonlyMap<string, string>;
  },
): Observed[] {
  if (error.kind !== "unreachable") {
    const end =
      "end the server that answers at this address, or set cluster.dashboardPort to another port";
    return [fail(
      error.message,
      error.kind === "bad_response" ? end : error.hint ?? end,
    )];
  }
  if (!cluster.start) {
    return [fail(
      `${error.message}, and cluster.start is false`,
      "start Ray at cluster.address and cluster.dashboardPort, or set cluster.start to true",
    )];
  }
  if (installed.size === 0) {
    return [fail(
      "Ray is not running, and no host has it in paths.python",
      `run "deno task setup", or use the image ${DEFAULT_IMAGE}`,
    )];
  }
  const [first = "", ...others] = new Set(installed.values());
  return others.length === 0
    ? [pass(`Ray is not running yet; ${first} will be started`)]
    : [differing(installed)];
}

function differing(installed: ReadonlyMap<string, string>): Observed {
  const list = [...installed].map(([host, version]) => `${version} on ${host}`);
  return fail(
    `hosts have different versions of Ray, which cannot form a cluster: ${
      list.join(", ")
    }`,
    "install the same version of ray on all hosts",
  );
}

function versionFaults(
  running: string,
  { installed, config: { cluster } }: {
    installed: ReadonlyMap<string, string>;
    config: SlimeConfig;
  },
): Observed[] {
  const restart = cluster.start
    ? "stop Ray so that the launch starts it"
    : "start Ray again with the installed version";
  return [...installed].filter(([, version]) => version !== running).map((
    [host, version],
  ) => ({
    ...fail(
      `Ray ${running} is running, but ${version} is installed`,
      `install ray==${running} on this host, or ${restart}`,
    ),
    host,
  }));
}

async function jobFaults(
  jobs: RayJobs,
  { signal }: CheckContext,
): Promise<Observed[]> {
  const all = await jobs.list({ signal });
  return all.filter(({ state }) => !isFinal(state)).map((job) =>
    jobFault(job, jobs.url)
  );
}

function jobFault(job: RayJob, url: string): Observed {
  const { submissionId, state, entrypoint } = job;
  const what = entrypoint === "" ? "" : `: ${entrypoint.slice(0, 80)}`;
  return fail(
    submissionId === null
      ? `a driver is connected to Ray (${state})${what}`
      : `the job "${submissionId}" is ${state}${what}`,
    `${stopHint(job, url)}, or wait for its end`,
  );
}

/** Checks that Ray has enough free GPUs for the run. If it has too few, slime waits for more GPUs forever. */
async function gpuFaults(
  jobs: RayJobs,
  { batch: { gpus: planned }, signal }: CheckContext,
): Promise<Observed[]> {
  const gpus = await jobs.gpus({ signal });
  if (gpus === undefined || gpus.total - gpus.used >= planned) return [];
  return [fail(
    `Ray has too few free GPUs: ${
      gpus.total - gpus.used
    } of ${gpus.total}, but the run needs ${planned}`,
    "add hosts to the Ray cluster, or stop the jobs that use its GPUs",
  )];
}
