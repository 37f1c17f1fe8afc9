/** Ray: the same on all hosts, and with nothing on it that would keep the GPUs. */

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
import {
  type Check,
  type CheckContext,
  fail,
  type Observed,
  pass,
  verdict,
} from "../check.ts";

/** The check `ray`. */
export const check: Check = {
  id: "ray",
  order: 80,
  title: "Ray is one version everywhere, and no old job runs on it",
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
        ...versionFaults(running, installed),
        ...await jobFaults(jobs, context),
        ...await gpuFaults(jobs, context),
      ],
      `Ray ${running} runs at ${jobs.url}, without jobs; it will be joined`,
    );
  },
};

/**
 * The version of the Ray that runs.
 * @returns The error where none answers.
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

/** As the head reaches it: it listens on loopback there mostly. */
function jobsUrl(
  { address, dashboardHost, dashboardPort, hosts }: SlimeConfig["cluster"],
): string {
  // A cluster that is joined from outside answers at its own address.
  const own = isLoopback(dashboardHost) || dashboardHost === "0.0.0.0"
    ? hosts.length > 0 ? "127.0.0.1" : address
    : dashboardHost;
  return `http://${own.includes(":") ? `[${own}]` : own}:${dashboardPort}`;
}

/** Ray of each host's Python; hosts without are the affair of the check `software`. */
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
    return [fail(
      error.message,
      "end what answers there instead of Ray, or choose another cluster.dashboardPort",
    )];
  }
  if (!cluster.start) {
    return [fail(
      `${error.message}; and cluster.start is false`,
      "start it, fix cluster.address and cluster.dashboardPort, or set cluster.start to true",
    )];
  }
  if (installed.size === 0) {
    return [fail(
      "no Ray runs, and none is installed to be started",
      `run "deno task setup", or take the image ${DEFAULT_IMAGE}`,
    )];
  }
  const [first = "", ...others] = new Set(installed.values());
  return others.length === 0
    ? [pass(`no Ray runs yet; ${first} will be started`)]
    : [differing(installed)];
}

function differing(installed: ReadonlyMap<string, string>): Observed {
  const list = [...installed].map(([host, version]) => `${version} on ${host}`);
  return fail(
    `hosts have different Rays, which do not join: ${list.join(", ")}`,
    "install the same version of ray on all hosts",
  );
}

function versionFaults(
  running: string,
  installed: ReadonlyMap<string, string>,
): Observed[] {
  return [...installed].filter(([, version]) => version !== running).map((
    [host, version],
  ) => ({
    ...fail(
      `Ray ${running} runs and ${version} is installed`,
      `install ray==${running} there, or stop Ray and let it be started anew`,
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

function jobFault(
  { submissionId, state, entrypoint }: RayJob,
  url: string,
): Observed {
  const what = entrypoint.slice(0, 80);
  if (submissionId === null) {
    // Nobody submitted it, and Ray has no way to stop it.
    return fail(
      `a driver is connected (${state}): ${what}`,
      "end the program that connected to Ray, or wait until it ends",
    );
  }
  return fail(
    `job ${submissionId} is ${state}: ${what}`,
    `wait until it ends, or stop it: ray job stop ${submissionId} --address ${url}`,
  );
}

/** What slime waits for without an end: GPUs that Ray does not have. */
async function gpuFaults(
  jobs: RayJobs,
  { batch: { gpus: planned }, signal }: CheckContext,
): Promise<Observed[]> {
  const gpus = await jobs.gpus({ signal });
  if (gpus === undefined || gpus.total - gpus.used >= planned) return [];
  return [fail(
    `Ray has ${gpus.total} GPUs, ${gpus.used} of them taken, and the run needs ${planned}`,
    "let the other hosts join, stop what holds GPUs, or start Ray anew with --num-gpus",
  )];
}
