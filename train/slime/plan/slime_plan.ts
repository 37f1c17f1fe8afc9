/**
 * Plans a slime run: everything that a launch writes, starts and submits, and its resources, computed from the recipe
 * and a few facts. Planning has no side effects: nothing is read, queried or started. A user can therefore check a plan
 * line by line before it costs anything.
 */

import { dataHint } from "../../config/open_dataset.ts";
import { join } from "node:path/posix";
import { stringify } from "yaml";
import { slimeFileName } from "./tau_example_rows.ts";
import { ConfigError } from "../../../env/errors.ts";
import { isLoopback } from "../../../env/serve/loopback.ts";
import { asksModel } from "../../../env/users/registry.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { rowFaults } from "./batch_shape.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { evaluationCount, isAsync, trainScript } from "./async_mode.ts";
import { SLIME_COMMIT } from "../setup/pins.ts";
import { unknownFlags } from "./flag_check.ts";
import { flagWords, trainFlags } from "./flags.ts";
import {
  assumedRates,
  type Forecast,
  forecast,
  forecastWarnings,
} from "./forecast.ts";
import {
  keepsBest,
  type MemoryPlan,
  memoryPlan,
  memoryWarnings,
} from "./run_memory.ts";
import { paddedVocab, parameterCount } from "../model_shapes.ts";
import {
  planHosts,
  planJob,
  planRay,
  planSecrets,
  planServices,
} from "./plan_cluster.ts";
import type {
  DerivedValues,
  LaunchFacts,
  LaunchPlan,
  PlannedFile,
  PlannedService,
  TokenPlan,
} from "./plan_types.ts";
import { isSticky, routerPolicy } from "./router_policy.ts";
import { planSplits } from "./slime_rows.ts";
import { ASSUMED_TRAINING, timeForecast } from "./train_time.ts";
import { rewritesHistory, REWRITTEN_HISTORY } from "../rewritten_history.ts";

export type * from "./plan_types.ts";

/**
 * Plans a run.
 * @throws {ConfigError} If the dataset is too small for the recipe, the facts lack a host of the recipe, the other
 * hosts cannot reach a host at its address, or a path on the hosts is not absolute.
 */
export function planLaunch(
  slime: ResolvedSlime,
  facts: LaunchFacts,
): LaunchPlan {
  const { config } = slime;
  refuseRelativePaths(config);
  refuseTooFewRows(slime, facts);
  const hosts = planHosts(config, facts);
  const directory = join(config.paths.runs, facts.run);
  const checkpoints = join(config.checkpoint.directory, facts.run);
  const policy = routerPolicy(
    config.engine.routerPolicy,
    facts.routerPolicies,
  );
  const services = planServices(config, { facts, hosts, directory });
  const secrets = planSecrets(config, services);
  const train = trainFlags(slime, {
    run: facts.run,
    checkpoints,
    huggingFace: huggingFaceTemplate(config, facts.run),
    promptData: join(directory, rowsFile(config, "train")),
    evalData: config.eval.splits.map((split) => ({
      name: evalName(config, split),
      path: join(directory, rowsFile(config, split)),
    })),
    settings: join(directory, SETTINGS_FILE),
    routerPolicy: policy,
  });
  const trainWords = flagWords(train);
  const rates = facts.measured ??
    assumedRates(config, facts.data?.promptTokens ?? null);
  const isShared = services.every(({ start }) => start !== null);
  const expected = forecast(slime, {
    rates,
    evalRows: evalRows(facts),
    servers: isShared ? 1 : services.length,
  });
  const memory = memoryPlan(slime, rates);
  return {
    run: facts.run,
    directory,
    hosts,
    files: planFiles(config, { facts, directory, services }),
    services,
    ray: planRay(slime, { hosts, secrets, services }),
    job: planJob(config, {
      facts,
      hosts,
      directory,
      checkpoints,
      words: trainWords,
      secrets,
      services,
    }),
    script: trainScript(config),
    train,
    trainWords,
    derived: derivedValues(slime, { facts, checkpoints }),
    tokens: tokenPlan(slime, rates.tokens),
    memory,
    forecast: expected,
    time: timeForecast(slime, {
      expected,
      rates: facts.measuredTraining ?? ASSUMED_TRAINING,
    }),
    warnings: warningsOf(config, {
      facts,
      services,
      memory,
      expected,
      policy,
    }),
  };
}

/** The name of the file that contains the hooks' settings. */
const SETTINGS_FILE = "settings.yaml";

function rowsFile(
  { data }: SlimeConfig,
  split: Parameters<typeof slimeFileName>[1],
): string {
  return slimeFileName(data.domain, split);
}

/** Returns the name under which slime logs the evaluation of a split. */
function evalName({ data }: SlimeConfig, split: string): string {
  return `${data.domain}-${split}`;
}

function huggingFaceTemplate(
  { checkpoint }: SlimeConfig,
  run: string,
): string | null {
  const { huggingFace } = checkpoint;
  return huggingFace === null ? null : join(huggingFace, run, "{rollout_id}");
}

/**
 * Checks that paths on the hosts are absolute. A relative path would depend on the directory of each process.
 * @throws {ConfigError} If a path is relative.
 */
function refuseRelativePaths({ model, checkpoint, paths }: SlimeConfig): void {
  const all: [string, string | null][] = [
    ["model.directory", model.directory],
    ["model.reference", model.reference],
    ["checkpoint.directory", checkpoint.directory],
    ["checkpoint.huggingFace", checkpoint.huggingFace],
    ["paths.slime", paths.slime],
    ["paths.megatron", paths.megatron],
    ["paths.runs", paths.runs],
  ];
  const found = all.find(([, path]) => path !== null && !path.startsWith("/"));
  if (found === undefined) return;
  throw new ConfigError(
    `${found[0]} must be an absolute path, but it is "${found[1]}"`,
    { hint: `set ${found[0]} to an absolute path on the hosts` },
  );
}

/**
 * Checks that the training split has enough tasks for a rollout. A missing dataset passes.
 * @throws {ConfigError} If there are too few tasks.
 */
function refuseTooFewRows(
  { batch }: ResolvedSlime,
  { data }: LaunchFacts,
): void {
  const rows = data?.rows[0]?.rows ?? Number.MAX_SAFE_INTEGER;
  const [fault] = rowFaults(batch, rows);
  if (fault === undefined) return;
  throw new ConfigError(fault.found, { hint: fault.fix });
}

function evalRows({ data }: LaunchFacts): number | null {
  return data === null
    ? null
    : data.rows.slice(1).reduce((sum, { rows }) => sum + rows, 0);
}

/**
 * Plans the files of a run. Most are written to every host of the cluster, because slime may read them on any of these
 * hosts.
 */
function planFiles(
  config: SlimeConfig,
  { facts, directory, services }: {
    readonly facts: LaunchFacts;
    readonly directory: string;
    readonly services: readonly PlannedService[];
  },
): PlannedFile[] {
  const rows = planSplits(config).map((split) => {
    const there = facts.data?.rows.find((one) => one.split === split);
    return {
      path: join(directory, rowsFile(config, split)),
      text: there?.text ?? null,
      on: "every" as const,
      what: `${split} tasks of ${config.data.domain}` +
        (there === undefined ? "" : `: ${there.rows}`),
    };
  });
  const isServedElsewhere = services.some(({ start }) =>
    start !== null && start.host !== THIS_MACHINE
  );
  return [
    ...rows,
    ...isServedElsewhere
      ? [{
        path: join(directory, "config.yaml"),
        text: stringify(config),
        on: "servers" as const,
        what: "the recipe, for the episode servers",
      }]
      : [],
    ...Object.entries(facts.hooks).map(([name, text]) => ({
      path: join(directory, name),
      text,
      on: "every" as const,
      what: "slime's hooks",
    })),
    {
      path: join(directory, SETTINGS_FILE),
      text: stringify(hookSettings(config, services)),
      on: "every",
      what: "the hooks' settings",
    },
  ];
}

/** Returns the settings for the hooks, which read them as attributes of slime's arguments. */
function hookSettings(
  config: SlimeConfig,
  services: readonly PlannedService[],
): Record<string, unknown> {
  const { algorithm, bridge, checkpoint, eval: evals, rollout } = config;
  const [split, ...others] = evals.every > 0 ? evals.splits : [];
  return {
    taulab_services: services.map(({ url }) => url),
    taulab_timeout_s: bridge.timeoutS,
    taulab_patience_s: bridge.patienceS,
    taulab_retries: bridge.retries,
    ...(rollout.filterRounds === null
      ? {}
      : { taulab_filter_rounds: rollout.filterRounds }),
    ...(algorithm.async === "full"
      ? { taulab_max_staleness: algorithm.maxStaleness }
      : {}),
    ...(checkpoint.keep === null
      ? {}
      : { taulab_keep_checkpoints: checkpoint.keep }),
    ...(checkpoint.keep !== null && keepsBest(config)
      ? { taulab_best_by: evalName(config, split!) }
      : {}),
    // taulab's rows name their split. For other rows, the split is known if only one is evaluated.
    ...(split !== undefined && others.length === 0
      ? { taulab_eval_split: split }
      : {}),
  };
}

function derivedValues(
  { config, model, batch }: ResolvedSlime,
  { facts, checkpoints }: {
    readonly facts: LaunchFacts;
    readonly checkpoints: string;
  },
): DerivedValues {
  const { rollout, engine, parallel } = config;
  const { gpus, engines, dataParallel, samples, optimizerSteps } = batch;
  const rows = facts.data?.rows[0]?.rows;
  return {
    gpus,
    engines,
    dataParallel,
    samples,
    optimizerSteps,
    parameters: parameterCount(model),
    paddedVocab: paddedVocab(parallel.tensor, model.vocab),
    rollouts: rollout.steps,
    totalSteps: rollout.steps * optimizerSteps,
    epochs: rows === undefined
      ? null
      : rollout.steps * rollout.batchSize / rows,
    evaluations: evaluationCount(config),
    concurrency: engine.concurrency * engines,
    checkpoints,
  };
}

function tokenPlan(
  { config: { rollout, parallel }, batch }: ResolvedSlime,
  episodeTokens: number,
): TokenPlan {
  const { samples, dataParallel } = batch;
  const perRank = rollout.globalBatchSize / dataParallel;
  const microBatches = parallel.dynamicBatch
    ? perRank * episodeTokens / (parallel.maxTokensPerGpu * parallel.context)
    : perRank / (parallel.microBatchSize ?? 1);
  return {
    samples,
    expected: samples * episodeTokens,
    most: samples * rollout.maxContextLen,
    answer: rollout.maxResponseLen,
    episode: rollout.maxContextLen,
    microBatches: Math.ceil(microBatches),
  };
}

function warningsOf(
  config: SlimeConfig,
  { facts, services, memory, expected, policy }: {
    readonly facts: LaunchFacts;
    readonly policy: string | null;
    readonly services: readonly PlannedService[];
    readonly memory: MemoryPlan;
    readonly expected: Forecast;
  },
): string[] {
  const { algorithm, cluster, checkpoint, engine, rollout } = config;
  const isServedHere = services.some(({ start }) =>
    start?.host === THIS_MACHINE
  );
  const served = isServedHere ? new URL(services[0]!.url).hostname : "";
  return [
    ...facts.notes,
    ...when(
      facts.data === null,
      `the dataset is missing, so the numbers of rows, epochs and evaluated episodes are unknown: ${
        dataHint(config.data.source)
      }`,
    ),
    ...when(
      cluster.hosts.length > 0 && isServedHere &&
        config.bridge.address === null,
      `this machine serves episodes at ${served}, the head's address: unless this machine is ${
        cluster.hosts[0]
      }, set bridge.address to an address of this machine that the hosts can reach`,
    ),
    ...userWarnings(config, services),
    ...when(
      cluster.nodes > 1,
      `${checkpoint.directory} must be on a file system shared by all hosts: each host writes its part of a checkpoint and reads all parts`,
    ),
    ...when(
      cluster.start && !isLoopback(cluster.dashboardHost),
      `Ray's Jobs API listens on ${cluster.dashboardHost}, and anyone who can reach it can run anything on the hosts; block the port, or set cluster.dashboardHost to 127.0.0.1`,
    ),
    ...when(
      policy !== null && !isSticky(policy) &&
        expected.atOnce > engine.concurrency,
      `the router's policy ${policy} (engine.routerPolicy ${engine.routerPolicy}) may send an episode's turns to several engines, each of which recomputes the conversation; ${
        engine.routerPolicy === "auto"
          ? "install slime's build of the router, or PyPI's sglang-router 0.3.2"
          : "set engine.routerPolicy to auto"
      }`,
    ),
    ...when(
      rollout.filter?.startsWith("slime.rollout.filter_hub.") ?? false,
      `rollout.filter ${rollout.filter} counts a failed episode as reward 0 and may keep a group because of it; generate.keep_group ignores failed episodes`,
    ),
    ...when(
      isAsync(config) && !algorithm.importanceSampling &&
        !algorithm.engineLogprobs,
      `algorithm.async ${algorithm.async} trains on episodes from earlier weights without a correction; set algorithm.importanceSampling to true, or algorithm.engineLogprobs`,
    ),
    ...when(
      algorithm.klLoss && algorithm.klLossCoef === 0,
      "algorithm.klLoss only measures the KL, because algorithm.klLossCoef is 0, but it costs a forward pass of the reference model in each step, and a copy of its weights in host memory",
    ),
    ...when(
      checkpoint.keep !== null && keepsBest(config) &&
        checkpoint.every % config.eval.every !== 0,
      `checkpoints are saved ${
        checkpoint.every === 1
          ? "after every rollout"
          : `every ${checkpoint.every} rollouts`
      } and evaluations run every ${config.eval.every}, so many checkpoints are never evaluated and cannot be kept as the best; make checkpoint.every a multiple of eval.every`,
    ),
    ...unknownFlags(config.flags).map(({ found, fix }) =>
      `${found}, according to slime's commit ${
        SLIME_COMMIT.slice(0, 9)
      } (${fix}); the doctor's check "flags" asks the installed slime`
    ),
    ...when(
      rewritesHistory(config.model),
      `the chat template of ${config.model.name} removes thoughts from earlier answers after the next user message: ${REWRITTEN_HISTORY}; set model.thinking to false, or serve the model token by token (deno task evaluate --provider sglang --tokenizer DIR)`,
    ),
    ...memoryWarnings(memory, config),
    ...forecastWarnings(expected, config),
  ];
}

/**
 * Returns a warning if the server of the user's model has a loopback address, which the hosts that run the episodes
 * cannot reach.
 */
function userWarnings(
  { user }: SlimeConfig,
  services: readonly PlannedService[],
): string[] {
  const { baseUrl } = user.endpoint;
  const host = services.find(({ start }) =>
    start !== null && start.host !== THIS_MACHINE
  )?.start?.host;
  return when(
    asksModel(user.strategy) && baseUrl != null && host !== undefined &&
      isLoopback(new URL(baseUrl).hostname),
    `episodes run on ${host}, where user.endpoint.baseUrl (${baseUrl}) refers to ${host} itself: set it to an address that ${host} can reach, or set bridge.hosts to [this]`,
  );
}

function when(holds: boolean, warning: string): string[] {
  return holds ? [warning] : [];
}
