/**
 * The plan of a slime run: everything that a launch writes, starts and submits, and what it will take, from
 * the recipe and a few facts. Pure: nothing is read, asked or started here, so a plan can be checked line by
 * line before it costs anything.
 *
 * @module
 */

/** A host as the plan needs it. */
export interface PlanHost {
  /** As in hosts.yaml; `this machine` where the recipe names none. */
  readonly name: string;
  /** How the other hosts reach it. */
  readonly address: string;
}

/** Rows of one split, as slime reads them. */
export interface SplitRows {
  readonly split: string;
  /** `retail_train_tasks.jsonl`. */
  readonly fileName: string;
  readonly rows: number;
  /** Lines of JSON, each naming its world and split. */
  readonly text: string;
}

/** What a plan goes by beside the recipe. */
export interface LaunchFacts {
  /** The run's name: also of its directory on the hosts, of its checkpoints and of its job. */
  readonly run: string;
  /** Which sitting of the run this is, from 1: a resumed run is another job. */
  readonly sitting: number;
  /** The head first, in the order of `cluster.hosts`; empty where the recipe names none. */
  readonly hosts: readonly PlanHost[];
  /** The text of generate.py. */
  readonly hooks: string;
  /** taulab's checkout on this machine. */
  readonly checkout: string;
  /** The training split first, then those of evaluation; `null` where the data are not there. */
  readonly rows: readonly SplitRows[] | null;
  /** Whether GPUs of a host are joined by NVLink; `null` while nobody has looked. */
  readonly nvlink: boolean | null;
  /** What episodes of an earlier run took; `null` where there is none to go by. */
  readonly measured: MeasuredEpisodes | null;
}

/** What an episode took on the average, out of a run dir. */
export interface MeasuredEpisodes {
  /** The run dir. */
  readonly from: string;
  readonly episodes: number;
  /** Actions of the policy an episode. */
  readonly turns: number;
  /** Tokens of an episode as the policy sees it; `null` where the model did not work on tokens. */
  readonly tokens: number | null;
  readonly seconds: number;
  /** Calls of the user simulator; `null` where it has no model. */
  readonly user: MeasuredCalls | null;
}

/** Calls of a model, an episode. */
export interface MeasuredCalls {
  /** Attempts that were answered. */
  readonly calls: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/** A file that has to be there before anything starts. */
export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  /** `every`: whatever reads it may run on any host. */
  readonly on: "head" | "every";
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

/** A server of episodes. */
export interface PlannedService {
  /** As the hooks reach it. */
  readonly url: string;
  /** How it is started; `null` where it runs already. */
  readonly start: PlannedCommand | null;
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
  /** GPUs that each host offers, and those that the run takes in all. */
  readonly hostGpus: number;
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
