/**
 * Manages the run dir of a slime run. Unlike a run dir of the embedded trainer (see training_dir.ts), it contains no
 * policy, but it does contain a record of everything that was started for the run.
 *
 *     runs/<name>/  config.yaml  run.json  launch.json  plan.json  metrics.jsonl  episodes.db  logs/  curve.svg  lock
 */

import { ConfigError } from "../../../env/errors.ts";
import { type AnyMetrics, metricsSource } from "../../runs/metrics.ts";
import {
  METRICS,
  MetricsFile,
  rewriteMetrics,
} from "../../runs/metrics_file.ts";
import {
  createRunDir,
  type LockedRun,
  type NewRun,
  reopenRunDir,
  RunDir,
} from "../../runs/run_dir.ts";
import { registerRunKind } from "../../runs/run_kind.ts";
import { takeLock } from "../../runs/run_lock.ts";
import { readRunOf, type RunRecord } from "../../runs/run_reader.ts";
import { resolveSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import {
  type LaunchRecord,
  readLaunchRecord,
  writeLaunchRecord,
} from "./launch_record.ts";

const SLIME = registerRunKind<SlimeConfig, AnyMetrics>({
  kind: "train",
  trainer: "slime",
  parseConfig: (config) => resolveSlime(config).config,
  refusal: (path, { kind }) =>
    new ConfigError(
      `"${path}" ${
        kind === "train"
          ? "was trained on this machine, not by slime"
          : "is an evaluation, not a run of slime"
      }, so it has no job to attach to or to stop`,
    ),
});

/**
 * Reads a run that slime trained, without locking it.
 * @throws {ConfigError} If the run does not exist, or it was not trained by slime.
 * @throws {RunDirError} If the run dir is damaged or from an incompatible version.
 */
export async function readSlimeRun(
  path: string,
): Promise<RunRecord<SlimeConfig, AnyMetrics>> {
  return await readRunOf(path, SLIME);
}

/** The run dir of a slime run, locked by this process. Declare it with `await using`. */
export class SlimeRun extends RunDir<SlimeConfig> {
  readonly #metrics: MetricsFile<AnyMetrics>;
  readonly #keys: Set<string>;
  #launch: LaunchRecord | undefined;

  private constructor(
    run: LockedRun<SlimeConfig>,
    { lines, launch }: {
      readonly lines: readonly AnyMetrics[];
      readonly launch: LaunchRecord | undefined;
    } = { lines: [], launch: undefined },
  ) {
    super(run);
    this.#launch = launch;
    this.#keys = new Set(lines.map(keyOf));
    this.#metrics = this.held.use(new MetricsFile(run.path, lines));
  }

  /**
   * Creates the run dir `path` and locks it.
   * @throws {ConfigError} If it already exists.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    options: NewRun<SlimeConfig>,
  ): Promise<SlimeRun> {
    return await createRunDir(
      path,
      { ...options, folders: ["logs"] },
      (run) => new SlimeRun(run),
    );
  }

  /**
   * Reopens a run and locks it. Everything in it is kept, except for an incomplete last line of metrics.
   * @throws {ConfigError} If the run does not exist, or it was not trained by slime.
   * @throws {RunDirError} If the run is in use, damaged or from an incompatible version.
   */
  static async open(path: string): Promise<SlimeRun> {
    return await reopenRunDir(path, SLIME, async (run, { lines }) => {
      // A kill may have left an incomplete last line.
      await rewriteMetrics(path, lines);
      return new SlimeRun(run, { lines, launch: await readLaunchRecord(path) });
    });
  }

  /** The lines of `metrics.jsonl`. */
  get metrics(): readonly AnyMetrics[] {
    return this.#metrics.lines;
  }

  /** The record of everything that was started for the run; `undefined` before the first launch. */
  get launch(): LaunchRecord | undefined {
    return this.#launch;
  }

  /** Writes the record of everything that was started for the run. */
  async saveLaunch(launch: LaunchRecord): Promise<void> {
    await writeLaunchRecord(this.path, launch);
    this.#launch = launch;
  }

  /**
   * Appends the lines of metrics that do not exist yet.
   * @returns The lines that were appended.
   */
  async record(lines: readonly AnyMetrics[]): Promise<AnyMetrics[]> {
    const fresh = lines.filter((line) => !this.#keys.has(keyOf(line)));
    if (fresh.length === 0) return [];
    await this.attempt(
      "write metrics",
      METRICS,
      () => this.#metrics.append(fresh),
    );
    for (const line of fresh) this.#keys.add(keyOf(line));
    return fresh;
  }

  protected override get continueHint(): string {
    return `attach again with --attach ${this.path}`;
  }
}

/**
 * Removes the lines of metrics for steps after `step`, because the checkpoint does not contain these steps. The run
 * must not be in use.
 * @returns The number of removed steps.
 */
export async function cutMetrics(path: string, step: number): Promise<number> {
  const lock = await takeLock(path);
  try {
    const { lines } = await readSlimeRun(path);
    const kept = lines.filter((line) => line.step <= step);
    await rewriteMetrics(path, kept);
    const last = Math.max(0, ...lines.map((line) => line.step));
    return Math.max(0, last - step);
  } finally {
    lock.close();
  }
}

function keyOf(line: AnyMetrics): string {
  return `${line.step} ${metricsSource(line)}`;
}
