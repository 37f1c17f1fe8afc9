/**
 * Tasks over rows that exist already: those of a benchmark's checkout. They are drawn and certified as those of a
 * generated world are, and handed out as the benchmark's are: an instruction, gold actions and outputs.
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
import type { LotPlace } from "./world.ts";

/** A domain's part: how tasks are drawn over its rows. */
export interface RowTasksPart {
  /** Raised when what is drawn changes for the same seed, options and rows. */
  readonly version: number;
  /** Opens the drawing. */
  open(from: RowSource): DrawRowTask;
}

/** What tasks are drawn from. */
export interface RowSource {
  readonly database: Database;
  /** Whether no task may be about a user or their rows. */
  isHeldOut(userId: string): boolean;
  readonly options: RowOptions;
}

/** Draws one task with its goal; `undefined` where the draw came to nothing. */
export type DrawRowTask = (place: LotPlace, rng: Rng) => Task | undefined;

/** A benchmark's dataset with drawn tasks in the place of its train tasks, or after them. */
export type RowTasksDataset = CertifiedDataset<RowOptions>;

/**
 * Draws tasks over the rows of a dataset, each with its certificate.
 * @param heldOut Tasks whose users no task may be about, nor the owners of rows that they name.
 * @throws {ConfigError} If nothing can be drawn by these options.
 * @throws {MissingPartError} If the domain cannot draw over rows.
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
      handOut: ({ goal: _, ...task }) => task,
      open: () => ({
        begin: (place, rng) => ({
          about: "the benchmark's rows",
          advice: "draw fewer of them, or hold out fewer users",
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

/** What no two drawn tasks have in common: who wants what written, and what told of what. */
function goldKey({ userId, actions, outputs }: Task): string {
  const writes = actions.filter(isWrite);
  const calls = (writes.length > 0 ? writes : actions)
    .map(({ name, arguments: args }) => name + printPythonJson(args));
  return JSON.stringify([userId, calls, outputs]);
}

/** Whether tasks are about a user, or name a row of theirs. */
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
