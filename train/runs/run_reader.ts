/** Reading a run dir, perhaps while it is being written; see run_dir.ts for its contract. */

import { join } from "node:path";
import { z } from "zod";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import { explainIssue } from "../../env/explain.ts";
import { type Config, type Recipe, resolveConfig } from "../config/config.ts";
import { EpisodeStore } from "./episode_store.ts";
import { type AnyMetrics, type Metrics, METRICS_VERSION } from "./metrics.ts";
import { RUN_VERSION, type RunInfo, runInfoSchema } from "./run_info.ts";
import { resolveSlime } from "../slime/slime_config.ts";
import type { SlimeConfig } from "../slime/slime_schema.ts";
import { readTextIfThere } from "./storage.ts";

/** The version of a checkpoint's directory; a newer one is refused. */
export const CHECKPOINT_VERSION = 1;

/** A run of the CPU trainer as a reader sees it. */
export interface RunRecord {
  readonly path: string;
  readonly config: Config;
  readonly info: RunInfo;
  /** Whole lines only: one that is just being written is left out. */
  readonly lines: Metrics[];
}

/** A run that slime trained, as a reader sees it. */
export interface SlimeRunRecord {
  readonly path: string;
  readonly config: SlimeConfig;
  readonly info: RunInfo;
  /** Whole lines only: one that is just being written is left out. */
  readonly lines: AnyMetrics[];
}

/**
 * Reads a run of the CPU trainer without taking it into use: config, metrics, outcome. Its episodes:
 * `openRunEpisodes(path)`, or `readEpisodeRows(path)` as flat records.
 * @throws {ConfigError} If there is no such run, or slime trained it.
 * @throws {RunDirError} If it is of another version or damaged.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { makeConfig } from "../config/config.ts";
 * import { readRun } from "./run_reader.ts";
 * import { startRun } from "../session.ts";
 *
 * const dir = await Deno.makeTempDir();
 * const config = makeConfig({ grpo: { steps: 3 } });
 * const dataset = { name: "generated", fingerprint: "…" };
 * {
 *   await using _run = await startRun(`${dir}/mine`, { config, dataset });
 * }
 * const run = await readRun(`${dir}/mine`);
 * equal(run.config.grpo.steps, 3);
 * equal(run.info.outcome, "running");
 * equal(run.lines.length, 0);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function readRun(path: string): Promise<RunRecord> {
  const info = await readTrainInfo(path);
  if (info.trainer === "slime") {
    throw new ConfigError(
      `slime trained "${path}", so its policy is not in the run dir but in the recipe's checkpoint.directory`,
      {
        hint:
          "name a run of the CPU trainer, or see this one by its curve.svg and metrics.jsonl",
      },
    );
  }
  const config = resolveConfig(await readConfig(path));
  return { path, info, config, lines: await readLines<Metrics>(path) };
}

/**
 * Reads a run that slime trained, without taking it into use.
 * @throws {ConfigError} If there is no such run, or it is of the CPU trainer.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readSlimeRun(path: string): Promise<SlimeRunRecord> {
  const info = await readTrainInfo(path);
  if (info.trainer !== "slime") {
    throw new ConfigError(
      `"${path}" was trained on this machine, not by slime: it has no job to attach to or to stop`,
    );
  }
  const config = resolveSlime(await readConfig(path)).config;
  return { path, info, config, lines: await readLines<AnyMetrics>(path) };
}

/** Reads a run of any trainer: which one it is says `info.trainer`. @throws As both of them. */
export async function readAnyRun(
  path: string,
): Promise<RunRecord | SlimeRunRecord> {
  const { trainer } = await readTrainInfo(path);
  return trainer === "slime" ? await readSlimeRun(path) : await readRun(path);
}

/**
 * Opens the episodes of a run of any kind, to read. Held by `using`.
 * @throws {ConfigError} If there are none.
 * @throws {RunDirError} If the file is of another version or damaged.
 */
export function readStore(path: string): EpisodeStore {
  const file = join(path, "episodes.db");
  try {
    return new EpisodeStore(file, { readOnly: true });
  } catch (error) {
    if (error instanceof RunDirError) throw error;
    throw new ConfigError(
      `"${file}" cannot be opened: the run has kept no episodes, or the file is damaged`,
      { cause: error },
    );
  }
}

async function readTrainInfo(path: string): Promise<RunInfo> {
  const info = await readRunInfo(path);
  if (info.kind === "train") return info;
  throw new ConfigError(
    `"${path}" is an evaluation, not a training run`,
    { hint: "name a run that was trained" },
  );
}

async function readConfig(path: string): Promise<Recipe> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name);
  if (text !== undefined) return { name, text };
  throw new RunDirError(
    `"${name}" is missing, so the run cannot be told from another`,
    { hint: "start it anew" },
  );
}

/** The lines are of the trainer that the run's info names. */
async function readLines<T extends AnyMetrics>(path: string): Promise<T[]> {
  const text = await readTextIfThere(join(path, "metrics.jsonl")) ?? "";
  return parseLines(text, path) as T[];
}

/**
 * Reads what a run is.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readRunInfo(path: string): Promise<RunInfo> {
  const infoPath = join(path, "run.json");
  const text = await readTextIfThere(infoPath);
  if (text !== undefined) return parseInfo(text, infoPath);
  throw new ConfigError(
    `There is no run at "${path}": "${infoPath}" is missing`,
    { hint: `give the name of a directory under "${join(path, "..")}"` },
  );
}

/**
 * The run of a kind under `root` that began last and is not completed; `undefined` where there is none.
 * @param trainer Only those of this one. Default: of any.
 */
export async function latestUnfinished(
  root: string,
  kind: RunInfo["kind"] = "train",
  trainer?: RunInfo["trainer"],
): Promise<string | undefined> {
  return await latestRun(
    root,
    (info) =>
      info.kind === kind && info.outcome !== "completed" &&
      (trainer === undefined || info.trainer === trainer),
  );
}

/** The run of the CPU trainer under `root` that began last and is completed; `undefined` where there is none. */
export async function latestCompleted(
  root: string,
): Promise<string | undefined> {
  return await latestRun(
    root,
    ({ kind, trainer, outcome }) =>
      kind === "train" && trainer === "cpu" && outcome === "completed",
  );
}

/** The run under `root` that began last, of those that are meant; default: of any kind. */
export async function latestRun(
  root: string,
  isMeant: (info: RunInfo) => boolean = () => true,
): Promise<string | undefined> {
  const found: { path: string; startedAt: string }[] = [];
  for (const name of await names(root)) {
    const text = await readTextIfThere(join(root, name, "run.json"));
    const info = runInfoSchema.safeParse(parseJson(text ?? "")).data;
    if (info && isMeant(info)) {
      found.push({ path: join(root, name), startedAt: info.startedAt });
    }
  }
  found.sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
  return found.at(-1)?.path;
}

/** The steps that a run keeps a checkpoint of, in order. */
export async function checkpointSteps(path: string): Promise<number[]> {
  const all = await names(join(path, "checkpoints"));
  return all.filter((name) => /^\d+$/.test(name)).map(Number)
    .sort((a, b) => a - b);
}

/**
 * Checks that a checkpoint is whole and of this version, but for what its trainer wrote.
 * @param options.wayOut What to do about a damaged one, for the error. Default: {@linkcode instead}.
 * @throws {RunDirError} If it is not.
 */
export async function checkCheckpoint(
  path: string,
  options: { step: number; wayOut?: string },
): Promise<void> {
  const dir = join(path, "checkpoints", String(options.step));
  const head = parseJson(
    await readTextIfThere(join(dir, "checkpoint.json")) ?? "",
  );
  const version = versionOf(head);
  if (version === undefined) {
    throw new RunDirError(
      `The checkpoint "${dir}" is damaged: its checkpoint.json is missing or no JSON`,
      { hint: options.wayOut ?? instead(dir) },
    );
  }
  checkVersion(version, { known: CHECKPOINT_VERSION, path: dir });
}

/** What to do with a checkpoint that cannot be used. */
export function instead(dir: string): string {
  return `remove "${dir}" and resume again: the run then goes on from the checkpoint before it`;
}

function parseInfo(text: string, path: string): RunInfo {
  const json = parseJson(text);
  const version = versionOf(json);
  if (version !== undefined) {
    checkVersion(version, { known: RUN_VERSION, path });
  }
  const result = runInfoSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const at = issue.path.join(".") || "the whole file";
  throw new RunDirError(
    `"${path}" is damaged: ${at}: ${explainIssue(issue, undefined)}`,
    { hint: "restore it, or start the run anew" },
  );
}

/** The lines that are whole. Only the last one may be torn. */
function parseLines(text: string, path: string): AnyMetrics[] {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(
    0,
    -1,
  );
  return whole.map((line, i) => {
    const json = parseJson(line);
    const version = versionOf(json);
    const place = `${join(path, "metrics.jsonl")}:${i + 1}`;
    if (version === undefined) {
      throw new RunDirError(
        `${place} is damaged: not a line of metrics`,
        { hint: "remove that line and those after it, then resume" },
      );
    }
    checkVersion(version, { known: METRICS_VERSION, path: place });
    return json as AnyMetrics;
  });
}

const versioned = z.object({ schemaVersion: z.int() });

function versionOf(json: unknown): number | undefined {
  return versioned.safeParse(json).data?.schemaVersion;
}

function checkVersion(
  version: number,
  options: { known: number; path: string },
): void {
  if (version === options.known) return;
  throw new RunDirError(
    `"${options.path}" has schema version ${version}, this taulab reads version ${options.known}`,
    {
      hint:
        "use the taulab that wrote it (version and commit are in the run's run.json), or start a new run",
    },
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function names(dir: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(dir));
    return entries.filter((entry) => entry.isDirectory).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
