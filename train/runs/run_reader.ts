/** Reading a run dir of any kind, perhaps while it is being written; see run_dir.ts for what it holds. */

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

/** A run as a reader sees it. */
export interface RunRecord<C = unknown, L extends AnyMetrics = AnyMetrics> {
  readonly path: string;
  readonly config: C;
  readonly info: RunInfo;
  /** Whole lines only: one that is just being written is left out. */
  readonly lines: L[];
  /** What of `metrics.jsonl` cannot be read and is left out, a clause each; such a run is read, and not resumed. */
  readonly damaged: readonly string[];
}

/**
 * Reads a run of a kind without locking it.
 * @throws {ConfigError} If there is no such run, or it is of another kind.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readRunOf<C, L extends AnyMetrics>(
  path: string,
  kind: RunKind<C, L>,
): Promise<RunRecord<C, L>> {
  const info = await readRunInfo(path);
  if (!isOfKind(info, kind)) throw kind.refusal(path, info);
  const config = kind.parseConfig(await readConfig(path));
  const { lines, damaged } = await readMetrics(path);
  return { path, info, config, lines: lines as L[], damaged }; // the kind's own lines
}

/**
 * Reads a run of any kind that is registered: which one it is says its `info`.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If it is of a kind that is not registered, of another version or damaged.
 */
export async function readAnyRun(path: string): Promise<RunRecord> {
  const info = await readRunInfo(path);
  const kind = runKindOf(info);
  if (kind !== undefined) return await readRunOf(path, kind);
  throw new RunDirError(
    `Nothing that was imported reads runs like "${path}" (${info.kind}, ${info.trainer})`,
    { hint: "import the part of taulab that makes them" },
  );
}

/**
 * Opens the episodes of a run of any kind, to read. Held by `using`.
 * @throws {ConfigError} If there are none.
 * @throws {RunDirError} If the file is of another version or damaged, or the system refuses it.
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
        `"${file}" cannot be opened: ${refusal.why} (${messageOf(error)})`,
        { cause: error, hint: refusal.hint },
      );
    }
    throw new ConfigError(
      `"${file}" cannot be opened: the run has kept no episodes, or the file is damaged`,
      { cause: error },
    );
  }
}

/** Whether a file is there, as far as the system tells: SQLite has one message for a file that is not and one that is shut. */
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
      `"${name}" is missing, so the run cannot be told from another`,
      { hint: "start it anew" },
    );
  }
  const seal = sealOfText(text);
  if (seal === "broken" || seal === "none" && await isSealed(path)) {
    throw new RunDirError(
      `"${name}" is not as the run wrote it: it was cut, damaged or edited`,
      { hint: "restore it; a run with another config is a new one" },
    );
  }
  return { name, text };
}

/** Whether a run was made since files have seals. */
async function isSealed(path: string): Promise<boolean> {
  const text = await readTextIfThere(join(path, "run.json")) ?? "";
  return sealOfJson(parseJson(text)) !== "none";
}

/**
 * The lines of metrics of a run; none of an evaluation. One that is damaged costs itself.
 * @throws {RunDirError} If one is newer.
 */
export async function readMetrics(
  path: string,
): Promise<{ lines: AnyMetrics[]; damaged: string[] }> {
  const text = await readTextIfThere(join(path, METRICS)) ?? "";
  return parseLines(text, path);
}

/**
 * Reads what a run is; its outcome is `stopped` where it was killed.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If it is of another version or damaged.
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
      `"${path}" is no run that began: "${infoPath}" is missing`,
      {
        hint:
          `copy run.json back if you have it; else nothing in it can be resumed: remove it by: rm -r '${path}'`,
      },
    );
  }
  throw new ConfigError(
    `There is no run at "${path}": "${infoPath}" is missing`,
    { hint: `give the name of a directory under "${join(path, "..")}"` },
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return await Deno.stat(path)
    .then((found) => found.isDirectory, () => false);
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
      `"${path}" is not as the run wrote it: it was damaged or edited`,
      { hint: "restore it, or start the run anew" },
    );
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

/** The lines that are whole: the last one may be torn. */
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

/** @throws {RunDirError} If lines of metrics are damaged: what is resumed must have all of them. */
export function refuseDamaged({ damaged }: Pick<RunRecord, "damaged">): void {
  const [first] = damaged;
  if (first === undefined) return;
  throw new RunDirError(first, {
    hint: "remove that line and those after it, then resume",
  });
}
