/**
 * `deno task serve`: starts an HTTP server. By default, it serves a trained policy through OpenAI's chat API and
 * SGLang's `/generate`. With `--env`, it serves environments for any trainer. With a slime recipe, it serves episodes
 * for a trainer that has its own engines.
 */

import { join } from "node:path";
import { z } from "zod";
import denoConfig from "../deno.json" with { type: "json" };
import { ConfigError } from "../env/errors.ts";
import { fileNameOf } from "../env/models/endpoints.ts";
import {
  type ClientPackage,
  type ClientPackageOptions,
  verifiersPackage,
  verlPackage,
} from "../env/serve/environment/client_packages.ts";
import { policyApp } from "../env/serve/policy_app.ts";
import type { ServedPolicy } from "../env/serve/served_policy.ts";
import { InFlight } from "../env/serve/in_flight.ts";
import { parseSet } from "../train/config/config.ts";
import { openRunPolicy } from "../train/cpu/run_policy.ts";
import { latestCompleted } from "../train/runs/run_reader.ts";
import { writeFileAtomic, writing } from "../train/runs/storage.ts";
import { readRun } from "../train/runs/training_dir.ts";
import { resolveSlime } from "../train/slime/slime_config.ts";
import { openEpisodeServer } from "../train/slime/bridge/episode_server.ts";
import { anyPath, recipeFile, runPathOnly } from "./_caller_paths.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { readSlimeRecipe } from "./_recipes.ts";
import {
  describeServed,
  environmentFlags,
  openServedEnvironment,
  servesEnvironment,
} from "./_serve_environment.ts";
import {
  aborted,
  type HttpServer,
  listen,
  shutDown,
  tokenOf,
  urlOf,
} from "./_serving.ts";
import {
  benchmarkOverrides,
  refuseFile,
  refuseUnusedBenchmark,
  runPath,
  runsFlag,
  setFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";

const flags = z.object({
  policy: z.string().min(1).optional().meta({
    description:
      "Training run whose policy is served; default: the most recent completed one",
    value: "RUN",
    isPath: runPathOnly,
  }),
  host: z.string().default("127.0.0.1").meta({
    description:
      "Address to listen on; if it is not loopback, clients must send the token in TAULAB_TOKEN",
  }),
  port: z.int().min(0).max(65535).optional().meta({
    description:
      "Port to listen on, 0 for a free one; default: 30000, 8000 with --env, or the recipe's bridge.port with --recipe",
  }),
  recipe: z.string().min(1).optional().meta({
    description:
      "Serve episodes for this slime recipe instead: a name in train/recipes, or a YAML file",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  tau3Bench: tau3BenchFlag.meta({
    description: "Directory of tau3-bench's data, for --env and --recipe",
  }),
  tauBench: tauBenchFlag.meta({
    description: "Directory of tau-bench's data, for --env and --recipe",
  }),
  record: z.string().min(1).optional().meta({
    description:
      "With --recipe: also record each episode in this run dir's episodes.db",
    value: "RUN_DIR",
    isPath: anyPath,
  }),
  allowEngine: z.array(z.string().min(1)).default([]).meta({
    description:
      "With --recipe: allow episodes to sample from this engine, in addition to this machine and the recipe's hosts; may be repeated",
    value: "HOST[:PORT]",
  }),
  ...environmentFlags,
  writeVerifiers: z.string().min(1).optional().meta({
    description:
      "Write a Python package for the verifiers library that connects to the server at --host and --port, and exit",
    value: "DIR",
    isPath: anyPath,
  }),
  writeVerl: z.string().min(1).optional().meta({
    description:
      "Write a Python package for verl that connects to the server at --host and --port, and exit",
    value: "DIR",
    isPath: anyPath,
  }),
  set: setFlag,
  runs: runsFlag,
});

const HEALTH_TIMEOUT_MS = 2_000;

/** The default port for policies, which is also SGLang's default. */
const POLICY_PORT = 30000;

/** The default port for environments, which is also OpenEnv's default. */
const ENVIRONMENT_PORT = 8000;

/** The phrase in the hint of {@linkcode tokenOf} that says how clients send the token. */
const SHOWN = "which clients then send as their key";

type Flags = z.infer<typeof flags> & Readonly<Record<string, unknown>>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  const [asked, another] = packagesOf(flags);
  if (another !== undefined) {
    throw new ConfigError(
      "--write-verifiers and --write-verl cannot be used together",
      { hint: "pass only one of them" },
    );
  }
  if (asked !== undefined) return await writePackage(asked, flags, context);
  if (servesEnvironment(flags)) return await runEnvironment(flags, context);
  if (flags.recipe !== undefined) {
    return await runEpisodes(flags, flags.recipe, context);
  }
  return await runPolicy(flags, context);
}

/**
 * Serves episodes for slime. Each request starts an episode, and the response is sent when its conversation has ended.
 */
async function runEpisodes(
  flags: Flags,
  name: string,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  if (flags.policy !== undefined) {
    throw new ConfigError(
      "--recipe and --policy cannot be used together: one serves episodes, the other a policy",
      { hint: "pass only one of them" },
    );
  }
  const token = tokenOf(flags.host, SHOWN);
  const recipe = await readSlimeRecipe(name);
  const sets = flags.set.map(parseSet);
  const { source } = resolveSlime(recipe, sets).config.data;
  const { config } = resolveSlime(recipe, [
    // --data is for environments.
    ...benchmarkOverrides(flags, source, { selectedBy: null }),
    ...sets,
  ]);
  const { record } = flags;
  await using episodes = await openEpisodeServer(config, {
    record,
    token,
    allowEngines: flags.allowEngine,
    signal,
  });
  const port = flags.port ?? config.bridge.port;
  const server = await listenForRun(
    { host: flags.host, port, terminal },
    episodes.app.fetch,
  );
  const url = urlOf(flags.host, server.addr.port);
  const { world: { dataset, userName }, instance, stopped } = episodes;
  const json = { url, data: dataset.name, user: userName, pid: Deno.pid };
  terminal.note(
    `Serving episodes of ${dataset.name} with the ${userName} user at ${url}/episodes, metrics at ${url}/metrics; Ctrl-C stops`,
  );
  terminal.ready({ ...json, instance });
  await aborted(AbortSignal.any([signal, stopped]));
  episodes.drain();
  await shutDown(server, { ended: episodes.ended() });
  return { json, exitCode: 0 };
}

const healthSchema = z.looseObject({ run: z.string() });

/**
 * Starts a server. If the server of another run uses the port, the error names that run.
 * @throws {ConfigError} If the server cannot listen on the address and port, for example because the port is in use.
 */
async function listenForRun(
  ...[at, handler]: Parameters<typeof listen>
): Promise<HttpServer> {
  try {
    return listen(at, handler);
  } catch (error) {
    const { host, port } = at;
    const health = await fetch(`${urlOf(host, port)}/health`, {
      signal: AbortSignal.timeout(HEALTH_TIMEOUT_MS),
    }).then((response) => response.json()).catch(() => undefined);
    const { data } = healthSchema.safeParse(health);
    if (data === undefined) throw error;
    throw new ConfigError(
      `Cannot listen on ${host}, port ${port}: an episode server of the run "${data.run}" uses the port`,
      {
        cause: error,
        hint:
          `stop that run where it was launched (deno task train --stop ${data.run}), or choose another port: pass --port here, or set bridge.port and engine.routerPort in a recipe`,
      },
    );
  }
}

/** Writes a Python client package to a directory. */
async function writePackage(
  { directory, write, next }: PackageToWrite,
  { host, port = ENVIRONMENT_PORT }: Flags,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const url = urlOf(host, port);
  const { version } = denoConfig;
  const files = await write({ url, version });
  await refuseFile(directory);
  await writing(directory, async () => {
    await Deno.mkdir(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      await writeFileAtomic(join(directory, name), text);
    }
  });
  terminal.print(
    `Wrote a client for ${url} to ${directory}. With the server running, try:\n` +
      [`pip install ${directory}`, ...next].map((line) => `  ${line}`)
        .join("\n"),
  );
  return { json: { directory, url, files: Object.keys(files) } };
}

/** A Python client package that the flags request. */
interface PackageToWrite {
  readonly directory: string;
  readonly write: (options: ClientPackageOptions) => Promise<ClientPackage>;
  /** Commands that use the installed package. */
  readonly next: readonly string[];
}

/** Returns the Python client packages that the flags request. */
function packagesOf({ writeVerifiers, writeVerl }: Flags): PackageToWrite[] {
  return [
    ...(writeVerifiers === undefined ? [] : [{
      directory: writeVerifiers,
      write: verifiersPackage,
      next: ["vf-eval taulab-env --model NAME --client.base-url URL --no-push"],
    }]),
    ...(writeVerl === undefined ? [] : [{
      directory: writeVerl,
      write: verlPackage,
      next: [
        "python -m taulab_verl train > train.jsonl",
        `python -m verl.trainer.main_ppo data.train_files=train.jsonl data.max_prompt_length=8192 actor_rollout_ref.rollout.agent.agent_loop_config_path=${
          join(writeVerl, "agent_loop.yaml")
        } …`,
      ],
    }]),
  ];
}

/** Serves environments for any trainer. Clients reset sessions and step through them. */
async function runEnvironment(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const token = tokenOf(flags.host, SHOWN);
  await using served = await openServedEnvironment(flags, { token, signal });
  const { dataset, userName, app } = served;
  const port = flags.port ?? ENVIRONMENT_PORT;
  const server = listen({ host: flags.host, port, terminal }, app.fetch);
  const url = urlOf(flags.host, server.addr.port);
  const json = { url, data: dataset.name, user: userName, pid: Deno.pid };
  terminal.note(
    `Serving ${
      describeServed(dataset)
    } with the ${userName} user at ${url}, metrics at ${url}/metrics; Ctrl-C stops. From Python:\n` +
      `  GenericEnvClient(base_url="${url}").sync()  # pip install openenv-core`,
  );
  terminal.ready(json);
  await aborted(signal);
  served.close();
  await shutDown(server);
  return { json, exitCode: 0 };
}

async function runPolicy(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  refuseUnusedBenchmark(
    flags,
    "a policy",
    flags.policy === undefined ? {} : { selectedBy: null },
  );
  const token = tokenOf(flags.host, SHOWN);
  const path = await runOf(flags);
  await using opened = await openRunPolicy(await readRun(path));
  const policy: ServedPolicy = {
    model: opened.policy,
    codec: opened.codec,
    name: fileNameOf(opened.policy.name),
    weightVersion: String(opened.step),
    prompt: opened.run.config.prompt,
  };
  const inFlight = new InFlight();
  const app = policyApp({
    policy,
    inFlight,
    ...(token === undefined ? {} : { token }),
  });
  const port = flags.port ?? POLICY_PORT;
  const server = listen({ host: flags.host, port, terminal }, app.fetch);
  const url = urlOf(flags.host, server.addr.port);
  const json = { url, model: policy.name, step: opened.step, run_dir: path };
  terminal.note(
    `Serving "${path}" after step ${opened.step} at ${url} as "${policy.name}"; Ctrl-C stops. Try:\n` +
      `  deno task evaluate --model ${policy.name} --provider sglang --base-url ${url}/v1`,
  );
  terminal.ready(json);
  await aborted(signal);
  await shutDown(server, { ended: inFlight.ended() });
  return { json, exitCode: 0 };
}

async function runOf({ policy, runs }: Flags): Promise<string> {
  if (policy !== undefined) {
    return runPath(policy, runs);
  }
  const latest = await latestCompleted(runs);
  if (latest !== undefined) return latest;
  throw new ConfigError(
    `There is no completed training run in "${runs}"`,
    { hint: 'train one with "deno task train", or pass --policy RUN' },
  );
}

export const task = await main(import.meta, {
  name: "serve",
  summary:
    "Serve over HTTP: a trained policy as OpenAI's chat API and SGLang's /generate, environments for any trainer, or episodes for slime",
  flags,
  examples: [
    {
      command: "deno task serve",
      does:
        "serve the most recent completed run's policy on port 30000, on loopback",
    },
    {
      command: "deno task serve --policy a1 --port 0 --json",
      does: "serve on a free port, and print its address as JSON when ready",
    },
    {
      command: "deno task serve --env retail --split train",
      does: "serve environments with OpenEnv's reset, step and state",
    },
    {
      command: "deno task serve --recipe qwen3-4b --port 8401",
      does:
        "serve episodes for slime: POST /episodes, GET /health and /metrics",
    },
  ],
  interruptNote:
    "Finishing the requests in progress; press Ctrl-C again to stop immediately",
  confine: ({ flags: { record, writeVerifiers, writeVerl } }) => ({
    write: [record, writeVerifiers, writeVerl]
      .filter((one) => one !== undefined),
  }),
  run,
});
