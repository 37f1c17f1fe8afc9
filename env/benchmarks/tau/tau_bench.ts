/**
 * Loads τ-bench's data from a directory. `<dir>/<domain>/` contains a JSON file per table, `wiki.md`, `tools.json` and
 * `tasks_<split>.json`. `<dir>/terminate_tools.json` names the tools that end a conversation. `<dir>/prompts.json` and
 * `<dir>/few_shot/` contain the prompts and example conversations of agents and simulated users.
 */

import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { createDatabase, type Table } from "../../database.ts";
import { type Domain, identityOf, keyOf } from "../../domain.ts";
import {
  type DomainName,
  domainNamed,
  domainNames,
  isOfTauBench,
} from "../../domains/registry.ts";
import { ConfigError, DataError, messageOf } from "../../errors.ts";
import {
  anyObject,
  explainFirstIssue,
  objectOf,
} from "../../python/python_schema.ts";
import {
  type JsonObject,
  parsePythonJson,
  toPlain,
} from "../../python/python_json.ts";
import { sha256 } from "../../state_hash.ts";
import { promptsSchema } from "../../prompts.ts";
import type { Dataset, Prompts, Split, Task, ToolSchema } from "../../types.ts";
import { hasDomain, openData, type ReadData } from "./data_files.ts";

const SPLITS: readonly Split[] = ["train", "dev", "test"];

const HINT =
  'set --tau-bench or TAU_BENCH_DIR to a complete data directory, which "deno task import" creates';

const toolSchemas = z.array(z.object({
  type: z.literal("function"),
  function: z.object({
    name: z.string(),
    description: z.string(),
    parameters: z.record(z.string(), z.unknown()),
  }),
}));

const terminatingTools = z.record(z.string(), z.array(z.string()));

const tasks = z.array(objectOf({
  user_id: z.string(),
  instruction: z.string(),
  actions: z.array(objectOf({ name: z.string(), kwargs: anyObject })),
  outputs: z.array(z.string()),
}));

const PROMPTS = "prompts.json";

const fewShotLine = z.object({ messages_display: z.string() });

/** The hint for setting the directory of τ-bench's data. */
export const TAU_BENCH_HINT = "pass --tau-bench DIR or set TAU_BENCH_DIR";

/**
 * Returns the directory of τ-bench's data: `given` (from the flag or the config) or, if it is not set, the value of
 * `TAU_BENCH_DIR`.
 * @throws {ConfigError} If `given` is empty, or if neither `given` nor `TAU_BENCH_DIR` is set.
 */
export function tauBenchDir(given?: string | null): string {
  const dir = given ?? Deno.env.get("TAU_BENCH_DIR");
  if (dir) return dir;
  const name = given === "" ? "the given path" : "TAU_BENCH_DIR";
  const reason = `${name} is ${dir === "" ? "empty" : "not set"}`;
  throw new ConfigError(`Cannot find tau-bench's data: ${reason}`, {
    hint: TAU_BENCH_HINT,
  });
}

/**
 * Loads one domain of τ-bench's data and validates every row.
 * @param dir A directory that `deno task import` wrote, or a checkout of τ-bench.
 * @throws {DataError} If a file is missing, truncated or invalid; the message names the file and, if one is invalid,
 * the row and the field.
 * @throws {ConfigError} If this version of taulab does not implement the domain.
 */
export async function loadTauBench(
  dir: string,
  domainName: DomainName,
): Promise<Dataset> {
  const domain = domainOfTauBench(domainName);
  const { name } = domain;
  const { files, top } = await openFiles(dir, name);
  const tables = new Map<string, Table>();
  for (const [table, schema] of domain.rowSchemas) {
    tables.set(table, await readTable(files, `${table}.json`, schema));
  }
  const bySplit = await readSplits(files, domain);
  const terminating = checked(terminatingTools, {
    value: toPlain(await top.json("terminate_tools.json")),
    path: top.path("terminate_tools.json"),
  });
  const dataset = {
    name: "tau-bench",
    ...identityOf(domain),
    database: createDatabase(tables),
    policy: await files.text("wiki.md"),
    tools: checked(toolSchemas, {
      value: toPlain(await files.json("tools.json")),
      path: files.path("tools.json"),
    }) satisfies readonly ToolSchema[],
    terminatingTools: terminating[name] ?? [],
    splits: [...bySplit.keys()],
    fewShot: await readFewShot(top, name),
  };
  const prompts = await readPrompts(top);
  const fingerprint = sha256(
    [...files.read, ...top.read].map(([name, text]) =>
      `${name} ${sha256([text])}\n`
    ),
  );
  return {
    ...dataset,
    fingerprint,
    prompts: () => prompts ?? noPrompts(top.path(PROMPTS)),
    tasks: (split) => bySplit.get(split) ?? noSplit(split, dataset.splits),
  };
}

/**
 * Returns the implementation of a domain.
 * @throws {ConfigError} If this version of taulab does not implement the domain, or if the domain belongs to a
 * benchmark with another data layout.
 */
function domainOfTauBench(name: DomainName): Domain {
  const domain = domainNamed(name);
  if (isOfTauBench(domain)) return domain;
  throw new ConfigError(
    `The domain "${keyOf(domain)}" has no data in τ-bench's layout`,
    { hint: `choose one of ${domainNames(isOfTauBench).join(", ")}` },
  );
}

/** Returns the names of the domains in a directory of τ-bench's data. */
export async function domainsIn(dir: string): Promise<DomainName[]> {
  const found = await Promise.all(
    domainNames(isOfTauBench).map(async (domain) =>
      await hasDomain(dir, domainNamed(domain).name) ? [domain] : []
    ),
  );
  return found.flat();
}

/**
 * Loads only the tasks of a domain, keyed by split, without the tables.
 * @throws {DataError} If there are no tasks, or a file is invalid.
 * @throws {ConfigError} If this version of taulab does not implement the domain.
 */
export async function loadTauBenchTasks(
  dir: string,
  domainName: DomainName,
): Promise<ReadonlyMap<Split, readonly Task[]>> {
  const domain = domainOfTauBench(domainName);
  const { files } = await openFiles(dir, domain.name);
  return await readSplits(files, domain);
}

/**
 * Returns the names of a domain's tools, or an empty set if the domain has no `tools.json`.
 * @throws {DataError} If the file is invalid.
 */
export async function toolNamesIn(
  dir: string,
  domainName: DomainName,
): Promise<ReadonlySet<string>> {
  const { files } = await openFiles(dir, domainNamed(domainName).name);
  const text = await files.textIfAny("tools.json");
  if (text === undefined) return new Set();
  const tools = checked(toolSchemas, {
    value: toPlain(files.parse("tools.json", text)),
    path: files.path("tools.json"),
  });
  return new Set(tools.map((tool) => tool.function.name));
}

/**
 * Loads a task file of a domain, in the format of `tasks_test.json`.
 * @throws {DataError} If the file is missing or invalid.
 */
export async function loadTaskFile(
  path: string,
  { domain, split }: { readonly domain: DomainName; readonly split: Split },
): Promise<readonly Task[]> {
  const dir = dirname(path);
  const files = new Files(dir, await openData(dir));
  const name = basename(path);
  return tasksOf(await files.text(name), {
    files,
    name,
    split,
    domain: domainNamed(domain),
  });
}

async function readSplits(
  files: Files,
  domain: Domain,
): Promise<Map<Split, readonly Task[]>> {
  const bySplit = new Map<Split, readonly Task[]>();
  for (const split of SPLITS) {
    const found = await readTasks(files, { domain, split });
    if (found.length > 0) bySplit.set(split, found);
  }
  if (bySplit.size > 0) return bySplit;
  throw new DataError(
    `Cannot find tasks in "${files.dir}": there is no tasks_train.json, tasks_dev.json or tasks_test.json`,
    { path: files.dir, hint: HINT },
  );
}

function noSplit(split: Split, splits: readonly Split[]): never {
  throw new ConfigError(
    `The dataset has no split "${split}"`,
    { hint: `choose one of ${splits.map((known) => `"${known}"`).join(", ")}` },
  );
}

function noPrompts(path: string): never {
  throw new DataError(
    `Cannot find the prompts "${path}"`,
    {
      path,
      hint: 'create the data directory again with "deno task import"',
    },
  );
}

/**
 * Reads the prompts, or returns `undefined` if the file does not exist. A missing file is an error only when the
 * prompts are used.
 */
async function readPrompts(files: Files): Promise<Prompts | undefined> {
  const text = await files.textIfAny(PROMPTS);
  if (text === undefined) return undefined;
  const path = files.path(PROMPTS);
  return checked(promptsSchema, {
    value: toPlain(files.parse(PROMPTS, text)),
    path,
  });
}

/** Reads the example conversations, or returns an empty list if the file does not exist. */
async function readFewShot(
  files: Files,
  domain: string,
): Promise<readonly string[]> {
  const title = `${domain[0]?.toUpperCase()}${domain.slice(1)}`;
  const name = `few_shot/Mock${title}DomainEnv-few_shot.jsonl`;
  const text = await files.textIfAny(name) ?? "";
  // An invalid line is an error: which examples a seed draws depends on their number.
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const place = `${name}:${index + 1}`;
    const value = toPlain(files.parse(place, line));
    const path = files.path(place);
    return [checked(fewShotLine, { value, path }).messages_display];
  });
}

/** Opens the directory of a domain (`files`) and the directory that contains all domains (`top`). */
async function openFiles(
  dir: string,
  domain: string,
): Promise<{ files: Files; top: Files }> {
  const read = await openData(dir);
  return {
    files: new Files(join(dir, domain), (name) => read(join(domain, name))),
    top: new Files(dir, read),
  };
}

/** The files of one directory, with a record of every file that was read. */
class Files {
  readonly dir: string;
  readonly #read: ReadData;
  /** The name and text of every file that was read. */
  readonly read: [name: string, text: string][] = [];

  constructor(dir: string, read: ReadData) {
    this.dir = dir;
    this.#read = read;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  async text(name: string): Promise<string> {
    const text = await this.textIfAny(name);
    if (text !== undefined) return text;
    throw new DataError(`Cannot find "${this.path(name)}"`, {
      path: this.path(name),
      hint: HINT,
    });
  }

  async textIfAny(name: string): Promise<string | undefined> {
    try {
      const text = await this.#read(name);
      if (text !== undefined) this.read.push([name, text]);
      return text;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const { path = this.path(name), hint = HINT } = error;
      throw new DataError(error.message, { path, cause: error, hint });
    }
  }

  async json(name: string) {
    return this.parse(name, await this.text(name));
  }

  parse(name: string, text: string) {
    try {
      return parsePythonJson(text, { path: this.path(name) });
    } catch (error) {
      throw new DataError(messageOf(error), {
        path: this.path(name),
        cause: error,
        hint: HINT,
      });
    }
  }
}

async function readTable(
  files: Files,
  name: string,
  schema: z.ZodType,
): Promise<Table> {
  const rows = await files.json(name);
  const path = files.path(name);
  if (!(rows instanceof Map) || rows.size === 0) {
    const why = rows instanceof Map
      ? "it has no rows"
      : "expected an object that maps ids to rows";
    throw new DataError(
      `Cannot use "${path}": ${why}`,
      { path, hint: HINT },
    );
  }
  for (const [id, row] of rows) {
    checked(schema, { value: toPlain(row), path, place: `row "${id}"` });
  }
  return rows as Map<string, JsonObject>;
}

/** Reads the tasks of a split, or returns an empty list if the file does not exist. */
async function readTasks(
  files: Files,
  { domain, split }: { domain: Domain; split: Split },
): Promise<readonly Task[]> {
  const name = `tasks_${split}.json`;
  const text = await files.textIfAny(name);
  return text === undefined
    ? []
    : tasksOf(text, { files, name, domain, split });
}

function tasksOf(
  text: string,
  { files, name, domain, split }: {
    files: Files;
    name: string;
    domain: Domain;
    split: Split;
  },
): readonly Task[] {
  const value = files.parse(name, text);
  return checked(tasks, { value, path: files.path(name) }).map((
    task,
    index,
  ) => ({
    id: `${domain.name}/${split}/${index}`,
    ...identityOf(domain),
    split,
    index,
    userId: task.user_id,
    instruction: task.instruction,
    actions: task.actions.map(({ name, kwargs }) => ({
      name,
      arguments: kwargs,
    })),
    outputs: task.outputs,
  }));
}

/**
 * Validates `value` with `schema`.
 * @throws {DataError} If `value` is invalid; the message names the file, `place` if it is given, and the field.
 */
function checked<T>(
  schema: z.ZodType<T>,
  { value, path, place }: { value: unknown; path: string; place?: string },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new DataError(
    `Cannot use "${path}": ${place === undefined ? "" : `${place}, `}${
      explainFirstIssue(result.error)
    }`,
    { path, cause: result.error, hint: HINT },
  );
}
