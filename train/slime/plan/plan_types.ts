/** What a planned slime run is made of; plan.ts makes it. */

import type { Hooks } from "../read_hooks.ts";
import type { BatchPlan } from "./batch_shape.ts";
import type { TrainFlag } from "./flags.ts";
import type { EpisodeRates, Forecast } from "./forecast.ts";
import type { MemoryPlan } from "./run_memory.ts";
import type { PlanData } from "./slime_rows.ts";
import type { TimeForecast, TrainingRates } from "./train_time.ts";

/** A host as the plan needs it. */
export interface PlanHost {
  /** As in hosts.yaml; `this machine` where the recipe names none. */
  readonly name: string;
  /** How the other hosts reach it. */
  readonly address: string;
  /** Where taulab is put on it, as hosts.yaml has it. Default: a set-up's own. */
  readonly dir?: string;
}

/** What a plan goes by beside the recipe. */
export interface LaunchFacts {
  /** The run's name: also of its directory on the hosts, of its checkpoints and of its job. */
  readonly run: string;
  /** Which session of the run this is, from 1: a resumed run is another job. */
  readonly session: number;
  /** Those of `cluster.hosts` and `bridge.hosts`; empty where the recipe names none. */
  readonly hosts: readonly PlanHost[];
  readonly hooks: Hooks;
  /** The run dir on this machine: `runs/NAME`. */
  readonly runDir: string;
  /** `null` where the data are not there. */
  readonly data: PlanData | null;
  /** Whether GPUs of a host are joined by NVLink; `null` while nobody has looked. */
  readonly nvlink: boolean | null;
  /** Policies of the head's router; `null` while nobody has asked it. */
  readonly routerPolicies: readonly string[] | null;
  /** What episodes of an earlier run took; `null` where there is none to go by. */
  readonly measured: EpisodeRates | null;
  /** How fast an earlier slime run trained; likewise. */
  readonly measuredTraining: TrainingRates | null;
  /** What whoever gathered the facts has to say, in sentences: they stand among the plan's warnings. */
  readonly notes: readonly string[];
}

/** A file that has to be there before anything starts. */
export interface PlannedFile {
  /** Absolute, on the hosts. */
  readonly path: string;
  /** `null` where the data that it is made of are not there; a launch cannot do without. */
  readonly text: string | null;
  /** `every`: whatever reads it may run on any host of the cluster. `servers`: those of episodes, but for this machine. */
  readonly on: "head" | "every" | "servers";
  /** What it is, for people. */
  readonly what: string;
}

/** A command of the plan. */
export interface PlannedCommand {
  /** The host it runs on, by its name. */
  readonly host: string;
  readonly cwd: string | null;
  /** Each one word: quote them where a shell reads them. */
  readonly words: readonly string[];
  /** Environment variables that are no secret. */
  readonly env: Readonly<Record<string, string>>;
  /** Environment variables whose values the launch takes from its own environment, if they are set there. */
  readonly passEnv: readonly string[];
}

/** An episode server. */
export interface PlannedService {
  /** As the hooks reach it. */
  readonly url: string;
  /** How it is started; `null` where it runs already. */
  readonly start: PlannedCommand | null;
  /** Where it listens; `null` where it runs already. */
  readonly listen: { readonly host: string; readonly port: number } | null;
  /** What is set over the run's config, `KEY=VALUE`: its share of limits and of the budget. */
  readonly overrides: readonly string[];
}

/** The cluster. */
export interface RayPlan {
  /** How the head is started; `null` where the recipe joins a cluster. */
  readonly head: PlannedCommand | null;
  /** How each further host joins. */
  readonly workers: readonly PlannedCommand[];
  /** `10.0.0.1:6379`. */
  readonly address: string;
  /** Ray's Jobs REST interface, as the head itself reaches it. */
  readonly jobsUrl: string;
  readonly dashboardPort: number;
  readonly tempDir: string | null;
  /** GPUs that each host offers. */
  readonly hostGpus: number;
  /** GPUs that the run takes, of all hosts together. */
  readonly gpus: number;
  /** Ports that have to be free on the head, with what takes them. */
  readonly ports: readonly { readonly port: number; readonly of: string }[];
}

/** A variable that the job needs and that is in no record. */
export interface PlannedSecret {
  readonly name: string;
  readonly required: boolean;
  /** How it gets there. */
  readonly way: string;
}

/** What is submitted. */
export interface JobPlan {
  readonly submissionId: string;
  /** One line of a POSIX shell. */
  readonly entrypoint: string;
  readonly runtimeEnv: {
    readonly env_vars: Readonly<Record<string, string>>;
  };
  readonly metadata: Readonly<Record<string, string>>;
  readonly secrets: readonly PlannedSecret[];
}

/** What follows from a recipe. */
export interface DerivedValues extends BatchPlan {
  readonly parameters: number;
  readonly rollouts: number;
  /** Of the optimizer, in the whole run. */
  readonly totalSteps: number;
  /** How often the run goes through the training rows; `null` where they are not known. */
  readonly epochs: number | null;
  readonly evaluations: number;
  /** Episodes at once, all engines together. */
  readonly concurrency: number;
  /** Where the run's checkpoints go and are looked for. */
  readonly checkpoints: string;
  /** Of the embedding as Megatron pads it. */
  readonly paddedVocab: number;
}

/** Tokens of a rollout. */
export interface TokenPlan {
  readonly samples: number;
  /** If episodes are as long as the forecast has them. */
  readonly expected: number;
  /** If each is as long as `rollout.maxContextLen` allows. */
  readonly most: number;
  /** Of an answer of the policy, and of an episode. */
  readonly answer: number;
  readonly episode: number;
  /** Fewest micro-batches of a data-parallel rank in a step of the optimizer, if episodes are as expected. */
  readonly microBatches: number;
}

/** A run, planned. */
export interface LaunchPlan {
  readonly run: string;
  /** Of the run's files, on each host. */
  readonly directory: string;
  /** The head first; never empty. */
  readonly hosts: readonly PlanHost[];
  readonly files: readonly PlannedFile[];
  readonly services: readonly PlannedService[];
  readonly ray: RayPlan;
  readonly job: JobPlan;
  /** slime's script: `train.py`, or `train_async.py`. */
  readonly script: string;
  /** What follows the script, with the keys that it comes from. */
  readonly train: readonly TrainFlag[];
  readonly trainWords: readonly string[];
  readonly derived: DerivedValues;
  readonly tokens: TokenPlan;
  readonly memory: MemoryPlan;
  readonly forecast: Forecast;
  readonly time: TimeForecast;
  /** What a person should think about before the launch, in sentences. */
  readonly warnings: readonly string[];
}
