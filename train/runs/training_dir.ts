/**
 * The run dir of a training run on this machine.
 *
 *     runs/<name>/  config.yaml  run.json  metrics.jsonl  episodes.db  checkpoints/<step>/  control/  logs/  lock
 *
 * A step is written in this order: its episodes (in one transaction), its line of metrics, and its checkpoint (renamed
 * into place). Therefore, every line of metrics has its episodes, and every checkpoint has its line. If the process is
 * killed, incomplete data may remain after the last checkpoint; {@linkcode TrainingDir.resume} drops it.
 */

import { join } from "node:path";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import { addUsage, NO_USAGE } from "../../env/models/usage.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import type { Episode, Usage } from "../../env/types.ts";
import { type Config, resolveConfig } from "../config/config.ts";
import {
  checkCheckpoint,
  checkpointHead,
  checkpointSteps,
  type Journal,
} from "./checkpoint_dirs.ts";
import type { EpisodePlace } from "./episode_columns.ts";
import { EpisodeStore } from "./episode_store.ts";
import type { EpisodeTally } from "./episode_tally.ts";
import { type Metrics, metricsSource } from "./metrics.ts";
import {
  METRICS,
  MetricsFile,
  rewriteMetrics,
  textOf,
} from "./metrics_file.ts";
import {
  createRunDir,
  type LockedRun,
  type NewRunDir,
  reopenRunDir,
  RunDir,
} from "./run_dir.ts";
import { registerRunKind } from "./run_kind.ts";
import { readRunOf, type RunRecord } from "./run_reader.ts";
import { hashOf } from "./seal.ts";
import { removeIfThere, writeFileAtomic } from "./storage.ts";

/** The kind of runs that the CPU trainer writes. */
const TRAINING = registerRunKind<Config, Metrics>({
  kind: "train",
  trainer: "cpu",
  parseConfig: (config) => resolveConfig(config),
  refusal: (path, { kind, trainer }) =>
    kind === "train"
      ? new ConfigError(
        `"${path}" is a run of ${trainer}, not of the CPU trainer, so it does not contain the policy`,
        {
          hint:
            "choose a run of the CPU trainer, or use the policy in the recipe's checkpoint.directory",
        },
      )
      : new ConfigError(`"${path}" is an evaluation, not a training run`, {
        hint: "choose a training run",
      }),
});

/** The contents of a training run on this machine, read without locking it. */
export type TrainingRecord = RunRecord<Config, Metrics>;

/**
 * Reads a training run on this machine without locking it: config, metrics, outcome. Read its episodes with
 * `openRunEpisodes(path)` or, as flat records, with `readEpisodeRows(path)`.
 * @throws {ConfigError} If there is no such run, it is an evaluation, another trainer made it, or its config is
 * invalid.
 * @throws {RunDirError} If it is damaged or from an incompatible version.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { makeConfig } from "../config/config.ts";
 * import { readRun } from "./training_dir.ts";
 * import { startRun } from "../session.ts";
 *
 * const dir = await Deno.makeTempDir();
 * const config = makeConfig({ rl: { steps: 3 } });
 * const dataset = { name: "generated", fingerprint: "…" };
 * {
 *   await using _run = await startRun(`${dir}/mine`, { config, dataset });
 * }
 * const run = await readRun(`${dir}/mine`);
 * equal(run.config.rl.steps, 3);
 * equal(run.info.outcome, "stopped"); // it recorded no end, and no process holds its lock
 * equal(run.lines.length, 0);
 * await Deno.remove(dir, { recursive: true });
 * ```
 */
export async function readRun(path: string): Promise<TrainingRecord> {
  return await readRunOf(path, TRAINING);
}

/** A training run that is being written. Use it with `await using`. */
export class TrainingDir extends RunDir<Config> {
  readonly #metrics: MetricsFile<Metrics>;
  readonly #episodes: EpisodeStore;

  private constructor(run: LockedRun<Config>, lines: readonly Metrics[] = []) {
    super(run);
    const { path } = run;
    this.#episodes = this.held.use(new EpisodeStore(join(path, "episodes.db")));
    this.#metrics = this.held.use(new MetricsFile(path, lines));
  }

  /**
   * Creates a run dir and locks it.
   * @throws {ConfigError} If it exists already and `numberIfTaken` is false.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    options: NewRunDir<Config>,
  ): Promise<TrainingDir> {
    const folders = ["checkpoints", "logs"];
    return await createRunDir(
      path,
      { ...options, folders },
      (run) => new TrainingDir(run),
    );
  }

  /**
   * Reopens a run and drops everything after its last checkpoint: the lines and episodes of later steps, episodes
   * without their line, and incomplete checkpoints.
   * @param options.discard Whether to go back to the last checkpoint whose lines and episodes are intact, and to drop
   * later checkpoints. Default: `false`; then it is an error if lines or episodes are lost.
   * @throws {ConfigError} If there is no such run, it is of another kind, or its config is invalid.
   * @throws {RunDirError} If it is in use, damaged or from an incompatible version.
   */
  static async resume(
    path: string,
    options: { readonly discard?: boolean } = {},
  ): Promise<TrainingDir> {
    return await reopenRunDir(path, TRAINING, async (run, { lines }) => {
      const step = await lastWhole(path, { lines, ...options });
      const kept = lines.filter((line) => line.step <= step);
      await rewriteMetrics(path, kept);
      await removeStale(path);
      const dir = new TrainingDir(run, kept);
      dir.#pruneEpisodes();
      return dir;
    });
  }

  /** The lines of `metrics.jsonl` so far. */
  get metrics(): readonly Metrics[] {
    return this.#metrics.lines;
  }

  /** Writes the episodes and the metrics of a step or an evaluation. */
  async record(
    line: Metrics,
    episodes: readonly { episode: Episode; place: EpisodePlace }[] = [],
  ): Promise<void> {
    const doing = `write step ${line.step}`;
    await this.attempt(
      doing,
      "episodes.db",
      () => this.#episodes.add(episodes),
    );
    await this.attempt(doing, METRICS, () => this.#metrics.append([line]));
  }

  /** Returns the usage of the users' models in all episodes so far. */
  userUsage(): Usage {
    return this.#episodes.list()
      .map(({ usage }) => usage?.user ?? NO_USAGE)
      .reduce(addUsage, NO_USAGE);
  }

  /** Returns the counts that advisories are based on; `null` if there are no episodes. */
  tally(): EpisodeTally | null {
    return this.#episodes.tally();
  }

  /** Yields the episodes of a source that were trained on, in order. */
  *trainedOn(source: string): Iterable<
    { readonly taskId: string; readonly trajectory: Trajectory }
  > {
    for (const { id, taskId, advantage } of this.#episodes.list({ source })) {
      if (advantage === null) continue;
      const trajectory = this.#episodes.trajectory(id);
      if (trajectory !== null) yield { taskId, trajectory };
    }
  }

  /** Returns the steps for which there is a checkpoint, in order. */
  async checkpoints(): Promise<number[]> {
    return await checkpointSteps(this.path);
  }

  /** Returns the directory of a step's checkpoint. */
  checkpointPath(step: number): string {
    return join(this.path, "checkpoints", String(step));
  }

  /**
   * Writes a checkpoint completely or not at all: `write` fills a temporary directory, a journal of the run is added,
   * and the directory is renamed.
   */
  async saveCheckpoint(
    step: number,
    write: (dir: string) => Promise<void>,
  ): Promise<void> {
    const target = this.checkpointPath(step);
    const partial = `${target}.partial`;
    const doing = `save the checkpoint of step ${step}`;
    await this.attempt(doing, "checkpoints", async () => {
      await removeIfThere(partial);
      await Deno.mkdir(partial, { recursive: true });
      await write(partial);
      await this.#metrics.sync();
      const journal = {
        lines: this.metrics.length,
        sha256: hashOf(textOf(this.metrics)),
        episodes: this.#episodes.counts()
          .reduce((sum, { episodes }) => sum + episodes, 0),
      };
      await writeFileAtomic(
        join(partial, "checkpoint.json"),
        checkpointHead(step, journal),
      );
      await Deno.rename(partial, target);
    });
  }

  /** Removes all checkpoints except the last `keep` checkpoints and the checkpoints for the steps in `spare`. */
  async pruneCheckpoints(
    options: { keep: number; spare: readonly number[] },
  ): Promise<void> {
    const steps = await this.checkpoints();
    for (const step of steps.slice(0, -options.keep)) {
      if (!options.spare.includes(step)) {
        const doomed = `${this.checkpointPath(step)}.partial`;
        await Deno.rename(this.checkpointPath(step), doomed);
        await removeIfThere(doomed);
      }
    }
  }

  /** Removes episodes that have no line of metrics. */
  #pruneEpisodes(): void {
    const whole = new Set(this.metrics.map(placeOf));
    this.#episodes.prune((step, source) => whole.has(`${step} ${source}`));
  }
}

/**
 * Returns the step of a run's last checkpoint whose lines and episodes are not lost; 0 if there is none. If `discard`
 * is true, deletes the checkpoints after it.
 * @throws {RunDirError} If a checkpoint is damaged, or if there are later checkpoints and `discard` is false.
 */
async function lastWhole(
  path: string,
  { lines, discard = false }: {
    readonly lines: readonly Metrics[];
    readonly discard?: boolean;
  },
): Promise<number> {
  const steps = await checkpointSteps(path);
  const lost: { step: number; what: string }[] = [];
  for (const step of steps.toReversed()) {
    const journal = await checkCheckpoint(path, { step });
    const what = journal && lostSince(path, { journal, lines });
    if (what === undefined) break;
    lost.push({ step, what });
  }
  const whole = steps.at(-1 - lost.length) ?? 0;
  const [last] = lost;
  if (last === undefined) return whole;
  if (!discard) {
    throw new RunDirError(
      `Cannot resume "${path}" from its checkpoint of step ${last.step}: ${last.what}`,
      {
        hint: `restore the damaged or missing file, or go back to ${
          whole === 0 ? "the start" : `step ${whole}`
        } with --resume ${path} --discard, which deletes everything after it`,
      },
    );
  }
  for (const { step } of lost) {
    await removeIfThere(join(path, "checkpoints", String(step)));
  }
  return whole;
}

/** Returns a clause that describes the lines or episodes lost since a checkpoint; `undefined` if none are lost. */
function lostSince(
  path: string,
  { journal, lines }: {
    readonly journal: Journal;
    readonly lines: readonly Metrics[];
  },
): string | undefined {
  const then = lines.slice(0, journal.lines);
  if (then.length < journal.lines) {
    return `${METRICS} has only ${then.length} of the ${journal.lines} lines that it had at that checkpoint`;
  }
  if (hashOf(textOf(then)) !== journal.sha256) {
    return `the first ${journal.lines} lines of ${METRICS} have changed since that checkpoint`;
  }
  const known = new Set(then.map(placeOf));
  using store = new EpisodeStore(join(path, "episodes.db"));
  const episodes = store.counts().filter((one) =>
    known.has(`${one.step} ${one.source}`)
  ).reduce((sum, { episodes }) => sum + episodes, 0);
  return episodes === journal.episodes
    ? undefined
    : `episodes.db has only ${episodes} of the ${journal.episodes} episodes that it had at that checkpoint`;
}

/** Returns the step and the source of the episodes that belong to a line. */
function placeOf(line: Metrics): string {
  return `${line.step} ${metricsSource(line)}`;
}

async function removeStale(path: string): Promise<void> {
  const checkpoints = join(path, "checkpoints");
  for await (const { name } of Deno.readDir(checkpoints)) {
    if (name.endsWith(".partial")) await removeIfThere(join(checkpoints, name));
  }
}
