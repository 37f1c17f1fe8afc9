/** Defines the types that describe a planned slime run, which slime_plan.ts creates. */

import type { Hooks } from "../read_hooks.ts";
import type { BatchPlan } from "./batch_shape.ts";
import type { TrainFlag } from "./flags.ts";
import type { EpisodeRates, Forecast } from "./forecast.ts";
import type { MemoryPlan } from "./run_memory.ts";
import type { PlanData } from "./slime_rows.ts";
import type { TimeForecast, TrainingRates } from "./train_time.ts";

/** The facts about a host that a plan needs. */
export interface PlanHost {
  /** The host's name in hosts.yaml; `this machine` if the recipe names no hosts. */
  readonly name: string;
  /** The address that the other hosts use to reach the host. */
  readonly address: string;
  /** taulab's directory on the host, from hosts.yaml. Default: the directory that setup chooses. */
  readonly dir?: string;
}

/** The facts that a plan needs in addition to the recipe. */
export interface LaunchFacts {
  /** The run's name, which is also used for its directory on the hosts, its checkpoints and its job. */
  readonly run: string;
  /**
   * The number of the run's session, starting at 1. Each session is a separate job, so resuming a run starts a new
   * session.
   */
  readonly session: number;
  /** The hosts in `cluster.hosts` and `bridge.hosts`; empty if the recipe names none. */
  readonly hosts: readonly PlanHost[];
  readonly hooks: Hooks;
  /** The path of the run dir on this machine, such as `runs/NAME`. */
  readonly runDir: string;
  /** The dataset; `null` if it is missing. */
  readonly data: PlanData | null;
  /** Whether NVLink connects the head's GPUs; `null` if unknown. */
  readonly nvlink: boolean | null;
  /** The policies that the router on the head supports; `null` if unknown. */
  readonly routerPolicies: readonly string[] | null;
  /** The rates of an earlier run's episodes; `null` to use assumed rates. */
  readonly measured: EpisodeRates | null;
  /** The training rates of an earlier slime run; `null` to use assumed rates. */
  readonly measuredTraining: TrainingRates | null;
  /** Notes about the facts, in sentences. The plan lists them among its warnings. */
  readonly notes: readonly string[];
}

/** A file that a launch writes to hosts before it starts anything there. */
export interface PlannedFile {
  /** The absolute path of the file on the hosts. */
  readonly path: string;
  /**
   * The contents; `null` if they depend on a dataset that is missing. The file can then be planned, but the run cannot
   * be launched.
   */
  readonly text: string | null;
  /**
   * The hosts that receive the file.
   * - `head`: only the head.
   * - `every`: all hosts of the cluster.
   * - `servers`: the hosts of episode servers, except this machine.
   */
  readonly on: "head" | "every" | "servers";
  /** A description for users. */
  readonly what: string;
}

/** A command that a launch will run. */
export interface PlannedCommand {
  /** The name of the host to run it on. */
  readonly host: string;
  readonly cwd: string | null;
  /** The command and its arguments, unquoted. */
  readonly words: readonly string[];
  /** Environment variables that are not secret. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * The names of environment variables that are passed on to the command if they are set in the environment of the
   * launch.
   */
  readonly passEnv: readonly string[];
}

/** An episode server of a run. */
export interface PlannedService {
  /** The URL that the hooks use to reach the server. */
  readonly url: string;
  /** The command that starts the server; `null` if the server is already running. */
  readonly start: PlannedCommand | null;
  /** The address that the server listens on; `null` if the server is already running. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Overrides of the run's config as `KEY=VALUE`, such as the server's share of the limits and the budget. */
  readonly overrides: readonly string[];
}

/** The Ray cluster of a run. */
export interface RayPlan {
  /** The command that starts Ray on the head; `null` if the recipe only joins a cluster. */
  readonly head: PlannedCommand | null;
  /** The commands that make the other hosts join the cluster. */
  readonly workers: readonly PlannedCommand[];
  /** The address of the cluster, such as `10.0.0.1:6379`. */
  readonly address: string;
  /** The URL of Ray's Jobs REST API for requests from the head. */
  readonly jobsUrl: string;
  readonly dashboardPort: number;
  readonly tempDir: string | null;
  /** The number of GPUs that each host offers. */
  readonly hostGpus: number;
  /** The total number of GPUs that the run uses on all hosts. */
  readonly gpus: number;
  /** The ports that must be free on the hosts that use them, and what they are used for. */
  readonly ports: readonly { readonly port: number; readonly of: string }[];
}

/** A secret environment variable of the job, which is never recorded. */
export interface PlannedSecret {
  readonly name: string;
  readonly required: boolean;
  /** How the job receives the variable, as a clause. */
  readonly way: string;
}

/** The job to submit. */
export interface JobPlan {
  readonly submissionId: string;
  /** The command line for a POSIX shell. */
  readonly entrypoint: string;
  readonly runtimeEnv: {
    readonly env_vars: Readonly<Record<string, string>>;
  };
  readonly metadata: Readonly<Record<string, string>>;
  readonly secrets: readonly PlannedSecret[];
}

/** Values derived from a recipe. */
export interface DerivedValues extends BatchPlan {
  readonly parameters: number;
  readonly rollouts: number;
  /** The number of optimizer steps of the whole run. */
  readonly totalSteps: number;
  /** The number of passes over the training rows; `null` if the number of rows is unknown. */
  readonly epochs: number | null;
  readonly evaluations: number;
  /** The maximum number of concurrent episodes across all engines. */
  readonly concurrency: number;
  /** The directory that the run's checkpoints are saved to and loaded from. */
  readonly checkpoints: string;
  /** The number of rows of the embedding after Megatron has padded it. */
  readonly paddedVocab: number;
}

/** The numbers of tokens in a rollout. */
export interface TokenPlan {
  readonly samples: number;
  /** The total number of tokens if episodes are as long as forecast. */
  readonly expected: number;
  /** The total number of tokens if every episode is as long as `rollout.maxContextLen` allows. */
  readonly most: number;
  /** The maximum number of tokens in one answer of the policy. */
  readonly answer: number;
  /** The maximum number of tokens in one episode, including the prompt. */
  readonly episode: number;
  /**
   * The minimum number of micro-batches per data-parallel rank and optimizer step, if episodes are as long as forecast.
   */
  readonly microBatches: number;
}

/** The plan of a run. */
export interface LaunchPlan {
  readonly run: string;
  /** The directory on each host that contains the run's files. */
  readonly directory: string;
  /** The hosts, starting with the head. There is always at least one. */
  readonly hosts: readonly PlanHost[];
  readonly files: readonly PlannedFile[];
  readonly services: readonly PlannedService[];
  readonly ray: RayPlan;
  readonly job: JobPlan;
  /** The name of slime's script: `train.py` or `train_async.py`. */
  readonly script: string;
  /** The flags of the script, with the keys that set them. */
  readonly train: readonly TrainFlag[];
  readonly trainWords: readonly string[];
  readonly derived: DerivedValues;
  readonly tokens: TokenPlan;
  readonly memory: MemoryPlan;
  readonly forecast: Forecast;
  readonly time: TimeForecast;
  /** Warnings that a user should read before the launch, in sentences. */
  readonly warnings: readonly string[];
}
