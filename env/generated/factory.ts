/** Draws the tasks of a world, certifies each task, replaces rejected tasks, and merges the rows into one database. */

import { createHash } from "node:crypto";
import { createYielder } from "../yielder.ts";
import { createDatabase, type Table } from "../database.ts";
import { ConfigError } from "../errors.ts";
import { printPythonJson } from "../python/python_json.ts";
import { createRng } from "../random.ts";
import type { Dataset, Prompts, Split, Task } from "../types.ts";
import {
  type Certificate,
  createCertifier,
  Rejection,
} from "./certificate/certificate.ts";
import { type Domain, identityOf, keyOf, partOf } from "../domain.ts";
import type {
  BatchPlace,
  CommonOptions,
  TaskBatch,
  WorldDraw,
  WorldPart,
} from "./world.ts";

/** A dataset with drawn tasks and their certificates. */
export interface CertifiedDataset<O = unknown> extends Dataset {
  readonly seed: number;
  readonly options: O;
  /** The certificate of every drawn task, keyed by task id. */
  readonly certificates: ReadonlyMap<string, Certificate>;
  /** The number of draws that were rejected and replaced, keyed by reason. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** A generated dataset. */
export interface GeneratedDataset<O = CommonOptions, T extends Task = Task>
  extends CertifiedDataset<O> {
  readonly name: "generated";
  tasks(split: Split): readonly T[];
}

/** The source of drawn tasks: a domain's generator, or existing rows. */
export interface DrawnWorld extends
  Pick<
    WorldPart,
    "version" | "policy" | "tools" | "terminatingTools" | "open"
  > {
  prompts(): Prompts;
  /**
   * Returns the task as the dataset contains it: without its goal if only the certificate needs the goal. Default:
   * returns the task unchanged.
   */
  toEpisodeTask?(task: Task): Task;
}

/** A progress callback and an abort signal for the generation of a world. */
export interface GenerateHooks {
  /** Called after each task has been certified, with the number of tasks certified so far and the total number. */
  readonly onTask?: (certified: number, of: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const SPLITS = ["train", "dev", "test"] as const;

/** A split of a generated world. */
export type WorldSplit = typeof SPLITS[number];

/** The number of failed draws of one batch after which the options are considered unsatisfiable. */
const MAX_ATTEMPTS = 200;

/**
 * The number of rejected draws per batch, in addition to {@linkcode MAX_ATTEMPTS}, above which the options are
 * considered unsatisfiable.
 */
const MAX_REJECTED = 40;

/**
 * Generates a world of a domain, with a certificate for every task.
 * @param spec.first The index of the first task of each split. Default: 0.
 * @throws {ConfigError} If the options allow no task.
 */
export async function generateWorld<O extends CommonOptions>(
  domain: Domain,
  { first = 0, world = worldOf(domain), ...spec }: WorldSpec<O>,
): Promise<GeneratedDataset<O>> {
  const factory = new Factory(domain, { first, world, ...spec });
  for (const split of SPLITS) await factory.fill(split);
  await factory.certifyAll();
  return factory.finish();
}

/** The seed, options and task source of a world. */
export interface WorldSpec<O> extends GenerateHooks {
  readonly seed: number;
  readonly options: O;
  readonly first?: number;
  /** The source of tasks. Default: the domain's own generator. */
  readonly world?: DrawnWorld;
}

function worldOf(domain: Domain): DrawnWorld {
  const { prompts, ...world } = partOf(domain, "world");
  return { ...world, prompts: () => prompts };
}

class Factory<O extends CommonOptions> {
  readonly #domain: Domain;
  readonly #world: DrawnWorld;
  readonly #spec: Required<Pick<WorldSpec<O>, "first">> & WorldSpec<O>;
  readonly #draw: WorldDraw;
  readonly #dropped = new Map<string, number>();
  readonly #certificates = new Map<string, Certificate>();
  readonly #yieldIfDue: () => Promise<void>;
  #batches: TaskBatch[] = [];

  constructor(
    domain: Domain,
    { world, ...spec }: WorldSpec<O> & {
      readonly first: number;
      readonly world: DrawnWorld;
    },
  ) {
    this.#domain = domain;
    this.#world = world;
    this.#spec = spec;
    this.#draw = this.#world.open(spec.seed, spec.options);
    this.#yieldIfDue = createYielder(spec.signal);
  }

  /** Draws a split's tasks. */
  async fill(split: WorldSplit): Promise<void> {
    const { first, options: { tasksPerUser, ...options } } = this.#spec;
    const end = first + options[`${split}Tasks`];
    for (let index = first; index < end; index += tasksPerUser) {
      await this.#yieldIfDue();
      const count = Math.min(tasksPerUser, end - index);
      this.#batches.push(
        this.#drawBatch({ ...identityOf(this.#domain), split, index, count }),
      );
    }
  }

  /** Certifies every task, and replaces rejected batches until all tasks are certified. */
  async certifyAll(): Promise<void> {
    const { onTask } = this.#spec;
    const wanted = this.#batches.reduce(
      (sum, { place }) => sum + place.count,
      0,
    );
    let unchecked = this.#batches;
    for (let round = 1; unchecked.length > 0; round++) {
      const certify = createCertifier(this.#dataset(unchecked), {
        toEpisodeTask: this.#world.toEpisodeTask,
      });
      const failed = new Set<TaskBatch>();
      for (const batch of unchecked) {
        for (const task of batch.tasks) {
          await this.#yieldIfDue();
          const result = await certify(task);
          if (result instanceof Rejection) {
            failed.add(batch);
            this.#drop(result);
          } else {
            this.#certificates.set(task.id, result);
            onTask?.(this.#certificates.size, wanted);
          }
        }
      }
      unchecked = this.#replace(failed, round);
    }
  }

  finish(): GeneratedDataset<O> {
    const { seed, options } = this.#spec;
    const { toEpisodeTask = (task: Task) => task } = this.#world;
    const batches = this.#batches.map((batch) => ({
      ...batch,
      tasks: batch.tasks.map(toEpisodeTask),
    }));
    return {
      ...this.#dataset(batches),
      seed,
      options,
      certificates: this.#certificates,
      dropped: this.#dropped,
    };
  }

  #replace(failed: ReadonlySet<TaskBatch>, round: number): TaskBatch[] {
    const replacements: TaskBatch[] = [];
    this.#batches = this.#batches.map((batch) => {
      if (!failed.has(batch)) return batch;
      const other = this.#drawBatch(batch.place, round);
      replacements.push(other);
      return other;
    });
    return replacements;
  }

  #drop({ part, reason: why, evidence }: Rejection): void {
    const reason = `${part}: ${why}`;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    const total = this.#dropped.values().reduce((sum, n) => sum + n, 0);
    if (total <= MAX_ATTEMPTS + MAX_REJECTED * this.#batches.length) return;
    throw new ConfigError(
      `Cannot generate the ${
        keyOf(this.#domain)
      } world: almost no task satisfies the options; ${total} draws were rejected, the last for "${reason}" (${evidence})`,
      {
        hint:
          `relax the options, or report a bug with seed ${this.#spec.seed} and the options`,
      },
    );
  }

  #drawBatch(place: BatchPlace, round = 0): TaskBatch {
    const rng = createRng(this.#spec.seed, place.split, place.index, round);
    const batchDraw = this.#draw.begin(place, rng);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const batch = batchDraw.draw();
      if (batch !== undefined) return batch;
    }
    throw new ConfigError(
      `Cannot draw a task about ${batchDraw.about} with these options: ${MAX_ATTEMPTS} attempts failed`,
      { hint: batchDraw.advice },
    );
  }

  #dataset(batches: readonly TaskBatch[]): Dataset & { name: "generated" } {
    const { version, policy, tools, terminatingTools, prompts } = this.#world;
    const { seed, options } = this.#spec;
    const tables = this.#draw.tables(batches);
    const tasks = Map.groupBy(
      batches.flatMap((batch) => batch.tasks),
      (task) => task.split,
    );
    const settings = JSON.stringify([version, seed, options]) + policy +
      JSON.stringify(tools);
    return {
      name: "generated",
      ...identityOf(this.#domain),
      fingerprint: fingerprintOf(settings, { tables, tasks }),
      database: createDatabase(tables),
      policy,
      tools,
      terminatingTools,
      prompts,
      fewShot: [],
      splits: SPLITS.filter((split) => tasks.has(split)),
      tasks: (split) => tasks.get(split) ?? noSplit(split),
    };
  }
}

function noSplit(split: Split): never {
  throw new ConfigError(
    `The generated world has no split "${split}"`,
    { hint: `choose one of ${SPLITS.map((known) => `"${known}"`).join(", ")}` },
  );
}

function fingerprintOf(
  settings: string,
  { tables, tasks }: {
    tables: ReadonlyMap<string, Table>;
    tasks: ReadonlyMap<Split, readonly Task[]>;
  },
): string {
  const hash = createHash("sha256").update(settings);
  for (const rows of tables.values()) {
    for (const row of rows.values()) hash.update(printPythonJson(row));
  }
  for (const ofSplit of tasks.values()) {
    for (const task of ofSplit) hash.update(taskText(task));
  }
  return hash.digest("hex");
}

function taskText({ actions, ...rest }: Task): string {
  const calls = actions.map(({ name, arguments: args }) =>
    name + printPythonJson(args)
  );
  return JSON.stringify([rest, calls]);
}
