/**
 * Runs the shards of an evaluation as jobs of a running Ray cluster, assigned to hosts of hosts.yaml in turn.
 *
 *     order ─▶ host ─▶ job: shard_worker.ts of the taulab that setup installed there ─▶ episodes.db ─▶ run dir here
 *
 * An order is the file that tells a job which episodes to run (see shard_order.ts). Orders and episodes are transferred
 * through the shell in which a host's commands run. A job outlives this process. It is recorded in a file such as
 * `shards/0.away.json` before it is submitted, so that a resumed evaluation can stop it and fetch its episodes.
 */

import { basename, dirname, join, resolve } from "node:path";
import { dirname as dirnamePosix, join as joinPosix } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import {
  BoundaryError,
  ConfigError,
  HostError,
  messageOf,
  RayError,
} from "../../../env/errors.ts";
import { endpointVariables } from "../../../env/models/endpoints.ts";
import type { CallOptions } from "../../../env/types.ts";
import { asksModel } from "../../../env/users/registry.ts";
import type { EvaluationConfig } from "../../evaluation/evaluation_config.ts";
import {
  orderText,
  type ShardEnd,
  ShardLines,
  type ShardOrder,
  writeOrder,
} from "../../evaluation/shard_order.ts";
import {
  awayPath,
  type RunShardOptions,
  type ShardRunner,
  workerArguments,
} from "../../evaluation/shard_process.ts";
import {
  readTextIfThere,
  removeIfThere,
  writeFileAtomic,
} from "../../runs/storage.ts";
import { parseJson } from "../../runs/versions.ts";
import {
  type Host,
  hostAddress,
  readHosts,
  readThisHost,
  THIS_HOST,
} from "../hosts/hosts_file.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { outputOf, pathWord, quote, quoteWords } from "../hosts/shell.ts";
import { dataOn } from "../setup/host_taulab.ts";
import type { PlacedShell } from "../setup/placed_shell.ts";
import { copyDatabase } from "./collect_episodes.ts";
import { openFleet } from "./fleet.ts";
import { failureText } from "./job_failure.ts";
import { followJob, type FollowOptions, type JobEnd } from "./follow.ts";
import type { JobRequest, RayJobs } from "./ray_jobs.ts";
import { finalState } from "./stop.ts";

/** Options for {@linkcode openShardJobs}. */
export interface ShardJobsOptions
  extends CallOptions, Pick<FollowOptions, "onNote" | "pollMs"> {
  /** The names of hosts in hosts.yaml, starting with the host that runs Ray's head. `this` stands for this machine. */
  readonly hosts: readonly string[];
  /** The path of a hosts.yaml. */
  readonly hostsFile: string;
  /** The URL of Ray's dashboard, as reached from the head. */
  readonly url: string;
  /** Reads an environment variable. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/** A runner of shards on a Ray cluster. Declare it with `await using`. */
export type ShardJobs = ShardRunner & AsyncDisposable;

/** A host, and the Ray resources that make a job run on it. */
interface ShardHost {
  readonly shell: PlacedShell;
  readonly resources?: JobRequest["resources"];
}

/**
 * Connects to a running Ray cluster.
 * @throws {ConfigError} If hosts.yaml lacks a host, Ray has no node for a host, or another host would need a policy
 * that exists only on this machine.
 * @throws {RayError} If Ray does not respond.
 */
export async function openShardJobs(
  config: EvaluationConfig,
  { hosts: names, hostsFile, url, env = Deno.env.get, ...options }:
    ShardJobsOptions,
): Promise<ShardJobs> {
  const elsewhere = names.filter((name) => name !== THIS_HOST);
  refusePolicy(config, elsewhere);
  const hosts = await readHosts(hostsFile, elsewhere);
  const here = await readThisHost(hostsFile);
  await using stack = new AsyncDisposableStack();
  const fleet = stack.use(openFleet(hosts, { env, here }));
  const shellOf = (name: string) =>
    fleet.shellOf(name === THIS_HOST ? THIS_MACHINE : name);
  const jobs = await fleet.jobsOf(
    { jobsUrl: url, head: shellOf(names[0]!).name, setBy: "--ray-url" },
    options,
  );
  const { version } = await jobs.version(options);
  options.onNote?.(`Joined Ray ${version} at ${jobs.url}`);
  const nodes = await jobs.nodes(options);
  const places = names.map((name, i): ShardHost => {
    const shell = shellOf(name);
    // Ray runs a job's command on the head, unless it needs a resource of another node.
    if (i === 0) return { shell };
    const host = name === THIS_HOST
      ? here
      : hosts.find((one) => one.name === name);
    const address = nodeAddress(name, { host, nodes, url: jobs.url });
    return { shell, resources: { [`node:${address}`]: 0.001 } };
  });
  const held = stack.move();
  const runner = new RayShards({ ...options, jobs, hosts: places, env });
  return Object.assign(runner, {
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  });
}

/**
 * Returns the address of a host's Ray node.
 * @throws {ConfigError} If Ray has no node with the host's address, so that jobs for the host would wait forever, or
 * hosts.yaml does not contain the host.
 */
function nodeAddress(
  name: string,
  { host, nodes, url }: {
    readonly host: Host | undefined;
    readonly nodes: readonly string[] | undefined;
    readonly url: string;
  },
): string {
  const address = host && hostAddress(host);
  if (address && (nodes?.includes(address) ?? true)) return address;
  throw new ConfigError(
    `Ray at ${url} has no node with the address of "${name}" (${
      address ?? "none in hosts.yaml"
    }); its nodes are ${nodes?.join(", ") || "not reported"}`,
    { hint: `set ${name}.address in hosts.yaml to the address of its node` },
  );
}

/**
 * Refuses to evaluate a policy on other hosts if the policy exists only on this machine.
 * @throws {ConfigError} If another host would need the policy.
 */
function refusePolicy(
  { policy, agent }: EvaluationConfig,
  elsewhere: readonly string[],
): void {
  if (policy === null || agent === "expert" || elsewhere.length === 0) return;
  throw new ConfigError(
    `Cannot evaluate the policy of "${policy}" on ${
      elsewhere.join(", ")
    }: its run dir is on this machine`,
    { hint: "pass --workers N without --ray, or --ray this" },
  );
}

/**
 * The schema of the record that the run dir contains while a shard's job may be running or its episodes have not been
 * fetched.
 */
const awaySchema = z.object({
  host: z.string(),
  /** The shard's directory on the host; `null` on this machine, where it is in the run dir. */
  directory: z.string().nullable(),
  submissionId: z.string(),
});

type Away = Readonly<z.infer<typeof awaySchema>>;

/** A shard that is ready to run. */
interface Ready {
  /** The path of the shard's run dir on this machine. */
  readonly path: string;
  readonly host: ShardHost;
  readonly directory: string | null;
  readonly entrypoint: string;
  /**
   * The keys for the models' endpoints, and the named pipe on the host that passes them to the job; `undefined` if none
   * are needed.
   */
  readonly keys: Keys | undefined;
}

interface Keys {
  readonly pipe: string;
  readonly values: Readonly<Record<string, string>>;
}

const ATTEMPTS = 2;
/** The exit status of a script if taulab is not installed on the host. */
const NO_TAULAB = 97;
/** The time limit in seconds for a job to receive the keys. */
const KEYS_S = 60;

/** Options for {@linkcode RayShards}. */
interface RayShardsOptions extends Pick<ShardJobsOptions, "onNote" | "pollMs"> {
  readonly jobs: RayJobs;
  readonly hosts: readonly ShardHost[];
  readonly env: (name: string) => string | undefined;
}

class RayShards implements ShardRunner {
  readonly #options: RayShardsOptions;

  constructor(options: RayShardsOptions) {
    this.#options = options;
  }

  /**
   * Runs a shard's job, and retries it if it fails without reporting a reason. The shard's episodes are fetched whether
   * the job succeeds, fails or is stopped. If an error prevents this, they stay on the host until a resumed evaluation
   * fetches them.
   */
  async run(
    path: string,
    order: ShardOrder,
    options: RunShardOptions,
  ): Promise<ShardEnd> {
    const { signal } = options;
    try {
      const ready = await this.#prepare(path, order, signal);
      const end = await this.#attempts(ready, options);
      await this.#bring(path, ready.host);
      return end;
    } catch (error) {
      if (!(error instanceof BoundaryError) && !signal.aborted) throw error;
      return signal.aborted
        ? await this.#stopped(path)
        : { error: messageOf(error), why: null };
    }
  }

  async recover(path: string): Promise<void> {
    const away = await readAway(path);
    if (away === undefined) return;
    const host = this.#options.hosts
      .find(({ shell }) => shell.name === away.host);
    if (host === undefined) {
      const name = away.host === THIS_MACHINE ? THIS_HOST : away.host;
      throw new ConfigError(
        `Cannot fetch the evaluation's episodes from "${name}": the host is not in --ray`,
        {
          hint:
            `add "${name}" to --ray, or pass --discard to run the episodes again`,
        },
      );
    }
    await this.#stop(away.submissionId);
    await this.#bring(path, host);
  }

  /**
   * Cleans up after a job has ended: removes its record and, if the job ran on another host, first fetches its episodes
   * and removes its files there.
   */
  async #bring(path: string, { shell }: ShardHost): Promise<void> {
    const directory = (await readAway(path))?.directory ?? null;
    if (directory !== null) {
      await Deno.mkdir(path, { recursive: true });
      await copyDatabase(shell, {
        python: "python3",
        from: joinPosix(directory, basename(path), "episodes.db"),
        to: join(path, "episodes.db"),
      });
      await shell.run({ script: `rm -rf ${quote(directory)}` });
    }
    await removeIfThere(awayPath(path));
  }

  async #stopped(path: string): Promise<ShardEnd> {
    try {
      await this.recover(path);
      return { error: null, why: "it was stopped" };
    } catch (error) {
      if (!(error instanceof BoundaryError)) throw error;
      return { error: messageOf(error), why: null };
    }
  }

  async #attempts(
    ready: Ready,
    options: RunShardOptions,
  ): Promise<ShardEnd> {
    for (let attempt = 1;; attempt++) {
      const { end, why, mayRetry } = await this.#attempt(ready, options);
      if (end !== undefined) return end;
      if (!mayRetry || attempt === ATTEMPTS) return { error: why, why: null };
      this.#options.onNote?.(`Shard ${basename(ready.path)}: ${why}. Retrying`);
    }
  }

  /** Submits a shard's job and follows it to its end. */
  async #attempt(
    { path, host, directory, entrypoint, keys }: Ready,
    { signal, onProgress }: RunShardOptions,
  ): Promise<{ end: ShardEnd | undefined; why: string; mayRetry: boolean }> {
    const { jobs, onNote, pollMs } = this.#options;
    const submissionId = `${runName(path)}-shard-${basename(path)}-${
      crypto.randomUUID().slice(0, 8)
    }`;
    const { shell: { name }, resources } = host;
    const away: Away = { host: name, directory, submissionId };
    await writeFileAtomic(awayPath(path), `${JSON.stringify(away)}\n`);
    signal.throwIfAborted();
    const lines = new ShardLines(onProgress);
    const ended = new AbortController();
    const handing = keys === undefined
      ? undefined
      : handKeys(keys, host, AbortSignal.any([signal, ended.signal]));
    try {
      await jobs.submit({
        submissionId,
        entrypoint,
        envVars: {},
        metadata: { taulab_evaluation: runName(path) },
        ...resources && { resources },
      });
      const { job, failure } = await followJob({
        jobs,
        submissionId,
        logPath: `${path}.${submissionId}.log`,
        signal,
        ...onNote && { onNote },
        ...pollMs !== undefined && { pollMs },
        whyQuiet:
          "either its episodes are slow, or it hangs; check the servers of the models",
        onLines: (all) => all.forEach((line) => lines.take(line)),
      });
      return {
        end: lines.end ?? (job.state === "SUCCEEDED" ? COMPLETE : undefined),
        why: `the job "${submissionId}" on ${name} ${endText(job, failure)}`,
        mayRetry: job.state === "FAILED",
      };
    } finally {
      ended.abort();
      await handing?.catch(() => {}); // the job reports that it lacks the keys
    }
  }

  /** Stops a job that may be running, and waits for its end. */
  async #stop(submissionId: string): Promise<void> {
    const { jobs } = this.#options;
    try {
      if (await jobs.stop(submissionId)) {
        await finalState(jobs, submissionId, {});
      }
    } catch (error) {
      const isGone = error instanceof RayError && error.kind === "not_found";
      if (!isGone) throw error;
    }
  }

  /** Prepares the host for a shard's job: writes the files that the job needs, and creates the pipe for its keys. */
  async #prepare(
    path: string,
    order: ShardOrder,
    signal: AbortSignal,
  ): Promise<Ready> {
    const { hosts, env } = this.#options;
    const host = hosts[Number(basename(path)) % hosts.length]!;
    const values = keysOf(order.config, env);
    const place = host.shell.name === THIS_MACHINE
      ? await prepareHere(path, order)
      : await prepareThere(path, order, { shell: host.shell, signal });
    const hasKeys = Object.keys(values).length > 0;
    const pipe = `${place.shardPath}.keys`;
    if (hasKeys) await makePipe(pipe, { shell: host.shell, signal });
    const receive = hasKeys
      ? [`keys=$(timeout ${KEYS_S} cat ${quote(pipe)})`, 'eval "$keys"']
      : [];
    return {
      path,
      host,
      directory: place.directory,
      entrypoint: [
        `cd ${place.root}`,
        ...receive,
        `exec ${place.deno} ${
          quoteWords([...workerArguments(place.shardPath, WORKER), "--alone"])
        } </dev/null`,
      ].join(" && "),
      keys: hasKeys ? { pipe, values } : undefined,
    };
  }
}

const COMPLETE: ShardEnd = { error: null, why: null };
/** The module that runs a shard, relative to taulab's directory. */
const WORKER = "train/evaluation/shard_worker.ts";
/** The directory of the running copy of taulab. */
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Returns the name of a shard's evaluation, such as `NAME` for the shard at `runs/NAME/shards/0`. */
function runName(path: string): string {
  return basename(dirname(dirname(resolve(path))));
}

function endText({ state }: JobEnd["job"], failure: JobEnd["failure"]): string {
  return failure === null
    ? `ended with the state ${state}`
    : `failed: ${failureText(failure)}`;
}

/** Where a shard is on the host that runs its job. */
interface ShardPlace {
  /** The path of the shard's run dir on the host. */
  readonly shardPath: string;
  /** The directory on the host to remove after the job has ended; `null` on this machine. */
  readonly directory: string | null;
  /** The directory of taulab on the host, quoted for a shell. */
  readonly root: string;
  /** The command that runs Deno on the host, quoted for a shell. */
  readonly deno: string;
}

async function prepareHere(
  path: string,
  order: ShardOrder,
): Promise<ShardPlace> {
  await writeOrder(path, order);
  return {
    shardPath: resolve(path),
    directory: null,
    root: quote(ROOT),
    deno: quote(Deno.execPath()),
  };
}

async function prepareThere(
  path: string,
  order: ShardOrder,
  { shell, signal }: {
    readonly shell: PlacedShell;
    readonly signal: AbortSignal;
  },
): Promise<ShardPlace> {
  const { taulab } = shell;
  const home = dirnamePosix(taulab.taulab);
  const shards = pathWord(`${home}/shards`);
  const made = await shell.run({
    script: `cd ${
      pathWord(taulab.taulab)
    } && [ -x ${taulab.deno} ] || exit ${NO_TAULAB}
umask 077
printf '%s\\n' "$HOME" "$PWD" ${taulab.deno}
mkdir -p ${shards} && cd ${shards} && mktemp -d "$PWD/XXXXXXXX"`,
  }, { signal });
  if (made.code === NO_TAULAB) {
    throw new HostError(
      `${shell.name}: taulab or its Deno is not installed in ${home}`,
      { hint: `install them with "deno task setup --serve ${shell.name}"` },
    );
  }
  const [userHome = "", root = "", deno = "", directory = ""] = made.stdout
    .split("\n");
  if (made.code !== 0 || directory === "") {
    throw new HostError(
      `${shell.name}: cannot create a directory in ${home}/shards: ${
        made.stderr.trim() || `exit status ${made.code}`
      }`,
    );
  }
  const shardPath = joinPosix(directory, basename(path));
  const { data } = order.config;
  const benchmark = dataOn(taulab, data.source)?.replace(/^~/, userHome);
  const exclude = data.exclude === null ? null : `${shardPath}.exclude.yaml`;
  const write = async (to: string, stdin: string) => {
    const what = `${shell.name}: cannot write "${to}"`;
    await outputOf(shell, { script: `cat >${quote(to)}`, stdin, what, signal });
  };
  if (exclude !== null) {
    await write(exclude, await Deno.readTextFile(data.exclude!));
  }
  await write(
    `${shardPath}.json`,
    orderText({
      ...order,
      config: {
        ...order.config,
        data: { ...data, exclude, directory: benchmark ?? null },
      },
    }),
  );
  return {
    shardPath,
    directory,
    root: quote(root),
    deno: quote(deno),
  };
}

/**
 * Returns the environment variables for the endpoints of the evaluation's models, such as API keys, if they are set on
 * this machine.
 */
function keysOf(
  { policy, agent, model, user, judge }: EvaluationConfig,
  env: (name: string) => string | undefined,
): Record<string, string> {
  const providers = [
    ...(policy === null && agent !== "expert" ? [model.provider] : []),
    ...(asksModel(user.strategy) ? [user.endpoint.provider] : []),
    ...(judge.endpoint.model === null ? [] : [judge.endpoint.provider]),
  ];
  const names = providers.length === 0
    ? []
    : [...providers.flatMap(endpointVariables), "OPENAI_CUSTOM_HEADERS"];
  return Object.fromEntries(
    [...new Set(names)].flatMap((name) => {
      const value = env(name);
      return value ? [[name, value]] : [];
    }),
  );
}

async function makePipe(
  pipe: string,
  { shell, signal }: {
    readonly shell: PlacedShell;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  await outputOf(shell, {
    script: `mkfifo -m 600 ${quote(pipe)}`,
    what: `${shell.name}: cannot create the named pipe "${pipe}"`,
    signal,
  });
}

/**
 * Passes the keys to the job through a named pipe, so that they never appear in a file, on a command line or in Ray's
 * records.
 */
async function handKeys(
  { pipe, values }: Keys,
  { shell }: ShardHost,
  signal: AbortSignal,
): Promise<void> {
  const text = Object.entries(values)
    .map(([name, value]) => `export ${name}=${quote(value)}`).join("\n");
  await shell.run({
    script: `printf '%s\\n' "$TAULAB_KEYS" >${quote(pipe)}`,
    env: { TAULAB_KEYS: text },
  }, { signal });
}

async function readAway(path: string): Promise<Away | undefined> {
  const text = await readTextIfThere(awayPath(path));
  if (text === undefined) return undefined;
  const away = awaySchema.safeParse(parseJson(text));
  if (away.success) return away.data;
  throw new ConfigError(`"${awayPath(path)}" is damaged`, {
    hint: "pass --discard to run the shard's episodes again",
  });
}
