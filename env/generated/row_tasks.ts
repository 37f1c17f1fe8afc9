/**
 * Draws tasks about existing rows, such as the rows of a benchmark's checkout. The tasks are drawn and certified like
 * the tasks of a generated world. They have the format of the benchmark's tasks: an instruction, gold actions and
 * outputs.
 */

import { isWrite } from "../audit/finding.ts";
import type { Database } from "../database.ts";
import { partOf } from "../domain.ts";
import { domainOf } from "../domains/registry.ts";
import { texts } from "../domains/shared/read_row.ts";
import { printPythonJson } from "../python/python_json.ts";
import type { Rng } from "../random.ts";
import { sha256 } from "../state_hash.ts";
import type { Dataset, Split, Task } from "../types.ts";
import {
  type CertifiedDataset,
  type GenerateHooks,
  generateWorld,
} from "./factory.ts";
import { Ids } from "./draw.ts";
import type { RowOptions } from "./row_options.ts";
import type { BatchPlace } from "./world.ts";

/** The part of a domain that draws tasks about existing rows. */
export interface RowTasksPart {
  /** The version of the part. It is incremented when the same seed, options and rows produce different tasks. */
  readonly version: number;
  /** Creates the function that draws tasks. */
  open(from: RowSource): DrawRowTask;
}

/** The input for drawing tasks: the existing rows, the held-out users, and the options. */
export interface RowSource {
  readonly database: Database;
  /** Checks whether a user is held out. No drawn task may be about a held-out user or their rows. */
  isHeldOut(userId: string): boolean;
  readonly options: RowOptions;
}

/** A function that draws one task with its goal. It returns `undefined` if the draw fails. */
export type DrawRowTask = (place: BatchPlace, rng: Rng) => Task | undefined;

/** A benchmark's dataset with drawn train tasks, which replace or extend the benchmark's train tasks. */
export type RowTasksDataset = CertifiedDataset<RowOptions>;

/**
 * Draws train tasks about the rows of a dataset, each with its certificate, and returns the dataset with these tasks in
 * place of its own train tasks or, with `ownTrain`, after them.
 * @param heldOut The held-out tasks. No drawn task is about the user of a held-out task, or about the owner of a row
 * that a held-out task names.
 * @throws {ConfigError} If no task can be drawn with these options.
 * @throws {MissingPartError} If the domain has no `rowTasks` part.
 */
export async function drawRowTasks(
  dataset: Dataset,
  { options, heldOut, ...hooks }:
    & { readonly options: RowOptions; readonly heldOut: readonly Task[] }
    & GenerateHooks,
): Promise<RowTasksDataset> {
  const domain = domainOf(dataset);
  const { version, open } = partOf(domain, "rowTasks");
  const { database } = dataset;
  const own = options.ownTrain ? tasksOf(dataset, "train") : [];
  const tables = new Map(
    database.tables.map((table) => [
      table,
      new Map(
        Array.from(database.ids(table), (id) => [id, database.get(table, id)!]),
      ),
    ]),
  );
  const taken = new Ids();
  const draw = open({
    database,
    isHeldOut: heldOutIn(dataset, heldOut),
    options,
  });
  const world = await generateWorld(domain, {
    ...hooks,
    seed: options.seed,
    options: { ...options, devTasks: 0, testTasks: 0, tasksPerUser: 1 },
    first: own.length,
    world: {
      version,
      policy: dataset.policy,
      tools: dataset.tools,
      terminatingTools: dataset.terminatingTools,
      prompts: dataset.prompts,
      toEpisodeTask: ({ goal: _, ...task }) => task,
      open: () => ({
        begin: (place, rng) => ({
          about: "the benchmark's rows",
          advice: "draw fewer tasks, or hold out fewer users",
          draw: () => {
            const task = draw(place, rng);
            return task !== undefined && taken.claim(goldKey(task))
              ? { place, tasks: [task], rows: undefined }
              : undefined;
          },
        }),
        tables: () => tables,
      }),
    },
  });
  const train = [...own, ...world.tasks("train")];
  const splits = ["train", ...dataset.splits.filter((one) => one !== "train")];
  return {
    ...dataset,
    fingerprint: sha256([dataset.fingerprint, world.fingerprint]),
    splits: splits as Split[],
    tasks: (split) => split === "train" ? train : dataset.tasks(split),
    seed: options.seed,
    options,
    certificates: world.certificates,
    dropped: world.dropped,
  };
}

/**
 * Returns the key that must be unique among drawn tasks: the user, the writes (or all actions if there are no writes)
 * and the outputs.
 */
function goldKey({ userId, actions, outputs }: Task): string {
  const writes = actions.filter(isWrite);
  const calls = (writes.length > 0 ? writes : actions)
    .map(({ name, arguments: args }) => name + printPythonJson(args));
  return JSON.stringify([userId, calls, outputs]);
}

/**
 * Returns a function that checks whether a user is held out: whether at least one of the tasks is about the user or
 * names one of the user's rows.
 */
function heldOutIn(
  dataset: Dataset,
  tasks: readonly Task[],
): (userId: string) => boolean {
  const users = new Set(tasks.map(({ userId }) => userId));
  const owned = domainOf(dataset).rows?.owned ?? [];
  const named = new Set(
    tasks.flatMap(({ instruction, actions }) =>
      owned.flatMap(({ argument, id }) => [
        ...instruction.match(id) ?? [],
        ...actions.map(({ arguments: args }) => args.get(argument)),
      ])
    ),
  );
  return (userId) => {
    const user = dataset.database.get("users", userId);
    return users.has(userId) ||
      owned.some(({ table }) => texts(user, table).some((id) => named.has(id)));
  };
}

function tasksOf(dataset: Dataset, split: Split): readonly Task[] {
  return dataset.splits.includes(split) ? dataset.tasks(split) : [];
}
