/**
 * Loads one domain of τ³-bench's data from a directory in upstream's layout: `data/tau2/domains/NAME/` has databases,
 * policy, tasks and splits. A bundle also has `prompts.json` and `tools/` alongside `data/`.
 */

import { z } from "zod";
import type { BundlePart, Databases, Domain } from "../../domain.ts";
import { domainNamed, domainNames } from "../../domains/registry.ts";
import { ConfigError, DataError } from "../../errors.ts";
import { anyObject } from "../../python/python_schema.ts";
import type { JsonValue } from "../../python/python_value.ts";
import { sha256 } from "../../state_hash.ts";
import {
  type BundleFiles,
  type BundleSource,
  checkedValue,
  dataFiles,
  parseFile,
  TAU3_BENCH_HINT,
} from "./bundle_files.ts";
import { type PolicyTexts, readPolicies } from "./policy_texts.ts";
import { type Tau3Task, tau3TaskSchema } from "./tau3_task.ts";

/** The key of τ³-bench, which is the prefix of its domains' keys, as in `tau3.retail`. */
export const TAU3 = "tau3";

/** The default split. */
export const BASE_SPLIT = "base";

/** The name suffix of a domain's variant, which has the same tools and tasks but a different manual. */
const WORKFLOW = "-workflow";

/** The forms of a domain's technical support manual. The domain's variant uses the form `workflow`. */
export const POLICY_TYPES = ["manual", "workflow"] as const;

/** A form of a domain's technical support manual. */
export type PolicyType = typeof POLICY_TYPES[number];

/** Returns a domain's name for a form of its manual. The name for `workflow` has a suffix: `telecom-workflow`. */
export function variantName(name: string, type: PolicyType): string {
  return type === "workflow" ? `${name}${WORKFLOW}` : name;
}

/** The tasks, splits and policies of a domain. */
export interface Tau3Tasks {
  /** The domain's name as it was passed to the loader. The name of a variant ends with `-workflow`. */
  readonly name: string;
  readonly policies: PolicyTexts;
  /** All tasks, in file order. */
  readonly tasks: readonly Tau3Task[];
  /** The names of the splits, in file order. */
  readonly splits: readonly string[];
  /**
   * Returns the tasks of a split, in the order of `tasks.json`.
   * @throws {ConfigError} If there is no such split.
   */
  tasksOf(split: string): readonly Tau3Task[];
  /**
   * Returns the task with the given id.
   * @throws {ConfigError} If there is no such task.
   */
  task(id: string): Tau3Task;
}

/** The data of a domain. */
export interface Tau3Bundle extends Tau3Tasks {
  readonly source: BundleSource;
  readonly domain: Domain;
  readonly part: BundlePart;
  /** The initial databases; episodes work on forks. */
  readonly databases: Databases;
  /** The hash of all files that were read. */
  readonly fingerprint: string;
}

/**
 * Returns the directory of τ³-bench's data: `given` (from the flag or the config) or, if it is not set, the value of
 * `TAU3_BENCH_DIR`.
 * @throws {ConfigError} If `given` is empty, or if neither `given` nor `TAU3_BENCH_DIR` is set.
 */
export function tau3BenchDir(given?: string | null): string {
  const dir = given ?? Deno.env.get("TAU3_BENCH_DIR");
  if (dir) return dir;
  const name = given === "" ? "the given path" : "TAU3_BENCH_DIR";
  const reason = `${name} is ${dir === "" ? "empty" : "not set"}`;
  throw new ConfigError(`Cannot find tau3-bench's data: ${reason}`, {
    hint: TAU3_BENCH_HINT,
  });
}

/**
 * Loads the data of a domain.
 * @param name The name of a domain or of its variant: `retail`, `NAME-workflow`.
 * @throws {DataError} If a file is missing or invalid; the message names the file and, if a field is invalid, the
 * field.
 * @throws {ConfigError} If this version of taulab does not implement the domain.
 */
export async function loadTau3(
  source: BundleSource,
  name: string,
): Promise<Tau3Bundle> {
  const domain = domainNamed(domainPart(name), TAU3);
  const { bundle: part } = domain;
  if (part === undefined) {
    throw new ConfigError(
      `Cannot load the domain "${name}" of τ³-bench: this version of taulab does not support its data`,
    );
  }
  const files = await dataFiles(source, `domains/${domain.name}`);
  const databases = await readDatabases(files, part);
  const tasks = await tasksIn(files, name);
  const fingerprint = sha256(
    files.read.map(([name, text]) => `${name} ${sha256([text])}\n`),
  );
  return { ...tasks, source, domain, part, databases, fingerprint };
}

/**
 * Loads only the policies, tasks and splits of a domain, even if this version of taulab does not implement the domain.
 * @throws {DataError} If a file is missing or invalid.
 */
export async function loadTau3Tasks(
  dir: string,
  name: string,
): Promise<Tau3Tasks> {
  const files = await dataFiles(dir, `domains/${domainPart(name)}`);
  return await tasksIn(files, name);
}

async function tasksIn(files: BundleFiles, name: string): Promise<Tau3Tasks> {
  const policies = await readPolicies(files, name.endsWith(WORKFLOW));
  const tasks = await readTasks(files);
  const splits = await readTaskSplits(files, tasks);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return {
    name,
    policies,
    tasks,
    splits: [...splits.keys()],
    tasksOf: (split) => splits.get(split) ?? noSplit(split, [...splits.keys()]),
    task: (id) => byId.get(id) ?? noTask(id, name),
  };
}

/**
 * Returns the names of τ³-bench's domains in `dir`, excluding domains that this version of taulab does not implement.
 */
export async function tau3DomainsIn(dir: string): Promise<string[]> {
  const names = domainNames(({ benchmark }) => benchmark === TAU3)
    .map((key) => domainNamed(key).name);
  const found = await Promise.all(
    names.map((name) =>
      dataFiles(dir, `domains/${name}`).then(
        () => [name],
        (error) => {
          if (error instanceof DataError) return [];
          throw error;
        },
      )
    ),
  );
  return found.flat();
}

/** Returns a domain's name without the suffix of a variant. */
function domainPart(name: string): string {
  return name.endsWith(WORKFLOW) ? name.slice(0, -WORKFLOW.length) : name;
}

async function readDatabases(
  files: BundleFiles,
  part: BundlePart,
): Promise<Databases> {
  const agent = await files.first("db.json", "db.toml");
  const user = await files.find("user_db.json") ??
    await files.find("user_db.toml");
  const value: { agent: JsonValue; user?: JsonValue } = {
    agent: parseFile(agent),
  };
  if (user !== undefined) value.user = parseFile(user);
  try {
    return part.load(value);
  } catch (error) {
    if (!(error instanceof DataError) || error.path !== undefined) throw error;
    throw new DataError(`Cannot use "${agent.path}": ${error.message}`, {
      path: agent.path,
      cause: error,
      hint: error.hint,
    });
  }
}

async function readTasks(files: BundleFiles): Promise<Tau3Task[]> {
  const { path, value } = await files.value("tasks.json");
  const list = value instanceof Map ? value.get("tasks") : value;
  const values = checkedValue(z.array(z.unknown()), { value: list, path });
  const tasks = values.map((value, index) => ({
    ...checkedValue(tau3TaskSchema, { value, path, place: `task ${index}` }),
    original: value as JsonValue,
  }));
  const ids = tasks.map(({ id }) => id);
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice === undefined) return tasks;
  throw new DataError(
    `Cannot use "${path}": two tasks have the id "${twice}"`,
    {
      path,
    },
  );
}

/** Reads the tasks of each split. Without `split_tasks.json`, all tasks are in the base split. */
async function readTaskSplits(
  files: BundleFiles,
  tasks: readonly Tau3Task[],
): Promise<ReadonlyMap<string, readonly Tau3Task[]>> {
  const file = await files.find("split_tasks.json");
  if (file === undefined) return new Map([[BASE_SPLIT, tasks]]);
  const { path } = file;
  const names = checkedValue(anyObject, { value: parseFile(file), path });
  const splits = new Map<string, readonly Tau3Task[]>();
  for (const [name, ids] of names) {
    const of = new Set(
      checkedValue(z.array(z.string()), {
        value: ids,
        path,
        place: `split "${name}"`,
      }),
    );
    splits.set(name, tasks.filter(({ id }) => of.has(id)));
  }
  return splits;
}

function noSplit(split: string, splits: readonly string[]): never {
  throw new ConfigError(`The dataset has no split "${split}"`, {
    hint: `choose one of ${splits.map((known) => `"${known}"`).join(", ")}`,
  });
}

function noTask(id: string, name: string): never {
  throw new ConfigError(
    `The domain "${name}" of τ³-bench has no task "${id}"`,
    {
      hint: "pass an id from tasks.json",
    },
  );
}
