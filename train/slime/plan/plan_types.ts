/** The types of a planned slime run; slime_plan.ts creates it. */

import type { Hooks } from "../read_hooks.ts";
import type { BatchPlan } from "./batch_shape.ts";
import type { TrainFlag } from "./flags.ts";
import type { EpisodeRates, Forecast } from "./forecast.ts";
import type { MemoryPlan } from "./run_memory.ts";
import type { PlanData } from "./slime_rows.ts";
import type { TimeForecast, TrainingRates } from "./train_time.ts";

/** The facts about a host that a plan needs. */
export interface PlanHost {
  /** Its name in hosts.yaml; `this machine` if the recipe names no hosts. */
  readonly name: string;
  /** Its address as reached from the other hosts. */
  readonly address: string;
  /** taulab's directory on the host, from hosts.yaml. Default: the one that setup chooses. */
  readonly dir?: string;
}

/** The facts that a plan needs in addition to the recipe. */
export interface LaunchFacts {
  /** The run's name, which also names its directory on the hosts, its checkpoints and its job. */
  readonly run: string;
  /** The number of this session of the run, from 1: a resumed run is another job. */
  readonly session: number;
  /** The hosts in `cluster.hosts` and `bridge.hosts`; empty if the recipe names none. */
  readonly hosts: readonly PlanHost[];
  readonly hooks: Hooks;
  /** The run dir on this machine: `runs/NAME`. */
  readonly runDir: string;
  /** The dataset; `null` if it is missing. */
  readonly data: PlanData | null;
  /** Whether NVLink joins the GPUs of a host; `null` if unknown. */
  readonly nvlink: boolean | null;
  /** Policies that the head's router supports; `null` if unknown. */
  readonly routerPolicies: readonly string[] | null;
  /** Rates of an earlier run's episodes; `null` if there is none. */
  readonly measured: EpisodeRates | null;
  /** Training rates of an earlier slime run; `null` if there is none. */
  readonly measuredTraining: TrainingRates | null;
  /** Notes from gathering the facts, in sentences; they are listed among the plan's warnings. */
  readonly notes: readonly string[];
}

/** A file that must exist before anything starts. */
export interface PlannedFile {
  /** The absolute path on the hosts. */
  readonly path: string;
  /** `null` if the dataset of the file is missing; a launch needs it. */
  readonly text: string | null;
  /**
   * The hosts that receive the file. `every`: all hosts of the cluster. `servers`: the hosts of episode servers,
   * except this machine.
   */
  readonly on: "head" | "every" | "servers";
  /** A description for people. */
  readonly what: string;
}

/** A command of the plan. */
export interface PlannedCommand {
  /** The name of the host it runs on. */
  readonly host: string;
  readonly cwd: string | null;
  /** The command and its arguments, unquoted. */
  readonly words: readonly string[];
  /** Environment variables that are not secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Names of environment variables whose values are passed on from the launch's own environment, if set. */
  readonly passEnv: readonly string[];
}

/** An episode server. */
export interface PlannedService {
  /** Its URL as reached from the hooks. */
  readonly url: string;
  /** The command that starts it; `null` if it is already running. */
  readonly start: PlannedCommand | null;
  /** The address it listens on; `null` if it is already running. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** Overrides of the run's config as `KEY=VALUE`: the server's share of the limits and the budget. */
  readonly overrides: readonly string[];
}

/** The Ray cluster of a run. */
export interface RayPlan {
  /** The command that starts the head; `null` if the recipe joins a cluster. */
  readonly head: PlannedCommand | null;
  /** The commands that the other hosts run to join. */
  readonly workers: readonly PlannedCommand[];
  /** The address of the cluster: `10.0.0.1:6379`. */
  readonly address: string;
  /** The URL of Ray's Jobs REST interface as reached from the head. */
  readonly jobsUrl: string;
  readonly dashboardPort: number;
  readonly tempDir: string | null;
  /** GPUs that each host offers. */
  readonly hostGpus: number;
  /** Total number of GPUs that the run uses, across all hosts. */
  readonly gpus: number;
  /** Ports that must be free on the head, and their uses. */
  readonly ports: readonly { readonly port: number; readonly of: string }[];
}

/** A secret variable that the job needs and that is never recorded. */
export interface PlannedSecret {
  readonly name: string;
  readonly required: boolean;
  /** The way in which the job receives it. */
  readonly way: string;
}

/** The job to submit. */
export interface JobPlan {
  readonly submissionId: string;
  /** A single command line for a POSIX shell. */
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
  /** Optimizer steps of the whole run. */
  readonly totalSteps: number;
  /** Passes over the training rows; `null` if their number is unknown. */
  readonly epochs: number | null;
  readonly evaluations: number;
  /** Total number of concurrent episodes, across all engines. */
  readonly concurrency: number;
  /** The directory that the run's checkpoints are saved to and loaded from. */
  readonly checkpoints: string;
  /** Rows of the embedding as padded by Megatron. */
  readonly paddedVocab: number;
}

/** Tokens of a rollout. */
export interface TokenPlan {
  readonly samples: number;
  /** If episodes are as long as forecast. */
  readonly expected: number;
  /** If each episode is as long as `rollout.maxContextLen` allows. */
  readonly most: number;
  /** Limits of one of the policy's answers, and of an episode. */
  readonly answer: number;
  readonly episode: number;
  /**
   * The minimum number of micro-batches per data-parallel rank and optimizer step, if episodes are as long as
   * expected.
   */
  readonly microBatches: number;
}

/** The plan of a run. */
export interface LaunchPlan {
  readonly run: string;
  /** The directory of the run's files on each host. */
  readonly directory: string;
  /** The hosts, the head first; never empty. */
  readonly hosts: readonly PlanHost[];
  readonly files: readonly PlannedFile[];
  readonly services: readonly PlannedService[];
  readonly ray: RayPlan;
  readonly job: JobPlan;
  /** slime's script: `train.py`, or `train_async.py`. */
  readonly script: string;
  /** The arguments of the script, with the keys that set them. */
  readonly train: readonly TrainFlag[];
  readonly trainWords: readonly string[];
  readonly derived: DerivedValues;
  readonly tokens: TokenPlan;
  readonly memory: MemoryPlan;
  readonly forecast: Forecast;
  readonly time: TimeForecast;
  /** Warnings to consider before the launch, in sentences. */
  readonly warnings: readonly string[];
}
