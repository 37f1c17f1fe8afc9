/** Reads a run dir of any kind, even while it is being written. run_dir.ts documents its contents. */

import { join } from "node:path";
import { ConfigError, messageOf, RunDirError } from "../../env/errors.ts";
import { explainIssue } from "../../env/schema_issue.ts";
import { refusalOf } from "../../env/system_error.ts";
import type { Recipe } from "../config/config.ts";
import { EpisodeStore } from "./episode_store.ts";
import { type AnyMetrics, currentLine, METRICS_VERSION } from "./metrics.ts";
import { METRICS } from "./metrics_file.ts";
import { RUN_VERSION, type RunInfo, runInfoSchema } from "./run_info.ts";
import { isOfKind, type RunKind, runKindOf } from "./run_kind.ts";
import { outcomeNow } from "./run_lock.ts";
import { sealOfJson, sealOfText } from "./seal.ts";
import { folderNames, readTextIfThere } from "./storage.ts";
import { checkVersion, parseJson, versionOf } from "./versions.ts";

/** The contents of a run, read without locking it. */
export interface RunRecord<C = unknown, L extends AnyMetrics = AnyMetrics> {
  readonly path: string;
  readonly config: C;
  readonly info: RunInfo;
  /** The complete, undamaged lines. A line that is still being written is skipped. */
  readonly lines: L[];
  /**
   * Descriptions of the lines of `metrics.jsonl` that could not be read, one clause each. A run with damaged lines can
   * be read but not resumed.
   */
  readonly damaged: readonly string[];
}

/**
 * Reads a run of a given kind without locking it.
 * @throws {ConfigError} If there is no such run, it is of another kind, or its config is invalid.
 * @throws {RunDirError} If it is damaged or from an incompatible version.
 */
export async function readRunOf<C, L extends AnyMetrics>(
  path: string,
  kind: RunKind<C, L>,
): Promise<RunRecord<C, L>> {
  const info = await readRunInfo(path);
  if (!isOfKind(info, kind)) throw kind.refusal(path, info);
  const config = kind.parseConfig(await readConfig(path));
  const { lines, damaged } = await readMetrics(path);
  return { path, info, config, lines: lines as L[], damaged }; // the lines of this kind
}

/**
 * Reads a run of any registered kind. The result's `info` names the kind.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If the run's kind is not registered, or the run is damaged or from an incompatible version.
 */
export async function readAnyRun(path: string): Promise<RunRecord> {
  const info = await readRunInfo(path);
  const kind = runKindOf(info);
  if (kind !== undefined) return await readRunOf(path, kind);
  throw new RunDirError(
    `No imported module can read the run "${path}" (${info.kind}, ${info.trainer})`,
    { hint: "import the module of taulab that writes runs of this kind" },
  );
}

/**
 * Opens the episodes of a run of any kind for reading. Use it with `using`.
 * @throws {ConfigError} If the file is missing, or cannot be opened for another reason.
 * @throws {RunDirError} If the file is damaged or from an incompatible version, or the system refuses access.
 */
export function readStore(path: string): EpisodeStore {
  const file = join(path, "episodes.db");
  try {
    return new EpisodeStore(file, { readOnly: true });
  } catch (error) {
    if (error instanceof RunDirError) throw error;
    const refusal = isThere(file) ? refusalOf(error) : undefined;
    if (refusal !== undefined) {
      throw new RunDirError(
        `Cannot open "${file}": ${refusal.why} (${messageOf(error)})`,
        { cause: error, hint: refusal.hint },
      );
    }
    throw new ConfigError(
      isThere(file)
        ? `Cannot open "${file}": ${messageOf(error)}`
        : `The run "${path}" has kept no episodes: "${file}" is missing`,
      { cause: error, hint: "choose another run, or restore the file" },
    );
  }
}

/** Checks whether a file exists. SQLite reports missing files and unreadable files with the same message. */
function isThere(file: string): boolean {
  try {
    Deno.lstatSync(file);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

async function readConfig(path: string): Promise<Recipe> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name);
  if (text === undefined) {
    throw new RunDirError(
      `"${name}" is missing`,
      { hint: "restore it from a backup, or start a new run" },
    );
  }
  const seal = sealOfText(text);
  if (seal === "broken" || seal === "none" && await isSealed(path)) {
    throw new RunDirError(
      `"${name}" was truncated, damaged or edited after the run wrote it`,
      {
        hint:
          "restore the original file, or start a new run to use another config",
      },
    );
  }
  return { name, text };
}

/** Checks whether a run is from a version that seals its files. */
async function isSealed(path: string): Promise<boolean> {
  const text = await readTextIfThere(join(path, "run.json")) ?? "";
  return sealOfJson(parseJson(text)) !== "none";
}

/**
 * Reads the metrics of a run; empty for an evaluation. Damaged lines are skipped and reported.
 * @throws {RunDirError} If a line has a newer version.
 */
export async function readMetrics(
  path: string,
): Promise<{ lines: AnyMetrics[]; damaged: string[] }> {
  const text = await readTextIfThere(join(path, METRICS)) ?? "";
  return parseLines(text, path);
}

/**
 * Reads the info of a run. Its outcome is `stopped` if the run was killed.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If it is damaged or from an incompatible version.
 */
export async function readRunInfo(path: string): Promise<RunInfo> {
  const infoPath = join(path, "run.json");
  const text = await readTextIfThere(infoPath);
  if (text !== undefined) {
    const info = parseInfo(text, infoPath);
    return { ...info, outcome: await outcomeNow(path, info) };
  }
  if (await isDirectory(path)) {
    throw new ConfigError(
      `"${path}" is not a run: "${infoPath}" is missing`,
      {
        hint: await looksLikeRun(path)
          ? `restore run.json from a backup, or remove the directory with: rm -r '${path}'`
          : "pass the directory of a run",
      },
    );
  }
  if (await isFile(path)) {
    throw new ConfigError(`"${path}" is a file, not a run`, {
      hint: "pass the directory of a run",
    });
  }
  throw new ConfigError(
    `There is no run at "${path}": "${infoPath}" is missing`,
    { hint: `pass the name of a directory under "${join(path, "..")}"` },
  );
}

/** Checks whether a directory without `run.json` is empty or has a file or folder of a run. */
async function looksLikeRun(path: string): Promise<boolean> {
  const entries = await Array.fromAsync(Deno.readDir(path));
  return entries.length === 0 ||
    entries.some(({ name }) => PARTS_OF_RUN.includes(name));
}

const PARTS_OF_RUN = ["config.yaml", "episodes.db", "checkpoints", "lock"];

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((found) => found.isFile, () => false);
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path)
    .then((found) => found.isDirectory, () => false);
}

/**
 * Returns the path of the most recently started run of the given kind under `root` that has not completed; `undefined`
 * if there is none.
 * @param trainer The trainer of the run. Default: any trainer.
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

/**
 * Returns the path of the most recently started run of the CPU trainer under `root` that has completed; `undefined` if
 * there is none.
 */
export async function latestCompleted(
  root: string,
): Promise<string | undefined> {
  return await latestRun(
    root,
    ({ kind, trainer, outcome }) =>
      kind === "train" && trainer === "cpu" && outcome === "completed",
  );
}

/**
 * Returns the path of the most recently started run under `root` for which `isMeant` returns `true`; `undefined` if
 * there is none. By default, all runs count.
 */
export async function latestRun(
  root: string,
  isMeant: (info: RunInfo, path: string) => boolean | Promise<boolean> = () =>
    true,
): Promise<string | undefined> {
  const found: { path: string; startedAt: string }[] = [];
  for (const name of await folderNames(root)) {
    const path = join(root, name);
    const text = await readTextIfThere(join(path, "run.json"));
    const info = runInfoSchema.safeParse(parseJson(text ?? "")).data;
    if (info && await isMeant(info, path)) {
      found.push({ path, startedAt: info.startedAt });
    }
  }
  found.sort((a, b) => a.startedAt < b.startedAt ? -1 : 1);
  return found.at(-1)?.path;
}

function parseInfo(text: string, path: string): RunInfo {
  const json = parseJson(text);
  const version = versionOf(json);
  if (version !== undefined) {
    checkVersion(version, { known: RUN_VERSION, path });
  }
  if (sealOfJson(json) === "broken") {
    throw new RunDirError(
      `"${path}" was damaged or edited after the run wrote it`,
      { hint: "restore it, or start a new run" },
    );
  }
  const result = runInfoSchema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const at = issue.path.join(".") || "the whole file";
  throw new RunDirError(
    `"${path}" is damaged: ${at}: ${explainIssue(issue, undefined)}`,
    { hint: "restore it, or start a new run" },
  );
}

/** Parses the complete lines, and skips an incomplete last line. */
function parseLines(
  text: string,
  path: string,
): { lines: AnyMetrics[]; damaged: string[] } {
  const [lines, damaged]: [AnyMetrics[], string[]] = [[], []];
  const whole = text.slice(0, text.lastIndexOf("\n") + 1).split("\n").slice(
    0,
    -1,
  );
  for (const [i, line] of whole.entries()) {
    const json = parseJson(line);
    const version = versionOf(json);
    const place = `${join(path, METRICS)}:${i + 1}`;
    if (version === undefined) {
      damaged.push(`${place} is damaged: not a line of metrics`);
      continue;
    }
    checkVersion(version, { known: METRICS_VERSION, path: place });
    lines.push(currentLine(json as AnyMetrics));
  }
  return { lines, damaged };
}

/**
 * Checks that no line of the metrics is damaged, because a run needs all lines to resume.
 * @throws {RunDirError} If a line is damaged.
 */
export function refuseDamaged({ damaged }: Pick<RunRecord, "damaged">): void {
  const [first] = damaged;
  if (first === undefined) return;
  throw new RunDirError(first, {
    hint:
      `restore ${METRICS} from a backup, or remove that line and all lines after it, then resume`,
  });
}
