/**
 * The run dir of a run that slime trains: as run_dir.ts has it, without a policy, and with the handles of what was
 * started for it.
 *
 *     runs/<name>/  config.yaml  run.json  launch.json  plan.json  metrics.jsonl  logs/  curve.svg  lock
 */

import { basename, join } from "node:path";
import { formatConfig } from "../../config/config.ts";
import { curvePoints, curveSvg } from "../../runs/run_figure.ts";
import { type AnyMetrics, metricsSource } from "../../runs/metrics.ts";
import type { RunInfo } from "../../runs/run_info.ts";
import {
  makeRunDir,
  RunJournal,
  type SittingEnd,
} from "../../runs/run_journal.ts";
import { takeLock } from "../../runs/run_lock.ts";
import { readSlimeRun } from "../../runs/run_reader.ts";
import { attempt, writeAll, writeFileAtomic } from "../../runs/storage.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import {
  type LaunchRecord,
  readLaunchRecord,
  writeLaunchRecord,
} from "./launch_record.ts";

interface Parts {
  readonly config: SlimeConfig;
  readonly journal: RunJournal;
  readonly lock: Deno.FsFile;
  readonly lines: AnyMetrics[];
  readonly launch: LaunchRecord | undefined;
}

/** A run that is being followed. Held by `await using`. */
export class SlimeRun implements AsyncDisposable {
  /** `runs/a1`. */
  readonly path: string;
  readonly config: SlimeConfig;
  readonly #journal: RunJournal;
  readonly #lock: Deno.FsFile;
  readonly #metricsFile: Deno.FsFile;
  readonly #keys: Set<string>;
  #lines: AnyMetrics[];
  #launch: LaunchRecord | undefined;

  private constructor(path: string, parts: Parts) {
    this.path = path;
    this.config = parts.config;
    this.#journal = parts.journal;
    this.#lock = parts.lock;
    this.#lines = parts.lines;
    this.#launch = parts.launch;
    this.#keys = new Set(parts.lines.map(keyOf));
    this.#metricsFile = Deno.openSync(join(path, "metrics.jsonl"), {
      append: true,
      create: true,
    });
  }

  /**
   * Makes `path` and takes it into use.
   * @throws {ConfigError} If it is there already.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    { config, info }: { config: SlimeConfig; info: RunInfo },
  ): Promise<SlimeRun> {
    const what = {
      doing: `make the run dir "${path}"`,
      path,
      afterwards: "start again",
    };
    return await attempt(what, async () => {
      await makeRunDir(path);
      await Deno.mkdir(join(path, "logs"));
      const lock = await takeLock(path);
      const text = formatConfig(config);
      await writeFileAtomic(join(path, "config.yaml"), text);
      const journal = await RunJournal.create(path, info);
      const launch = undefined;
      return new SlimeRun(path, { config, journal, lock, lines: [], launch });
    });
  }

  /**
   * Takes a run into use again, with all that it has.
   * @throws {ConfigError} If there is no such run, or slime did not train it.
   * @throws {RunDirError} If it is in use, of another version, or damaged.
   */
  static async open(path: string): Promise<SlimeRun> {
    const what = {
      doing: `open the run "${path}"`,
      path,
      afterwards: "try again",
    };
    return await attempt(what, async () => {
      await readSlimeRun(path);
      const lock = await takeLock(path);
      try {
        const { config, info, lines } = await readSlimeRun(path);
        // A kill may have torn the last line.
        await writeFileAtomic(join(path, "metrics.jsonl"), format(lines));
        const journal = new RunJournal(path, info);
        const launch = await readLaunchRecord(path);
        return new SlimeRun(path, { config, journal, lock, lines, launch });
      } catch (error) {
        lock.close();
        throw error;
      }
    });
  }

  /** `a1`. */
  get name(): string {
    return basename(this.path);
  }

  get info(): RunInfo {
    return this.#journal.info;
  }

  /** The lines of `metrics.jsonl`. */
  get metrics(): readonly AnyMetrics[] {
    return this.#lines;
  }

  /** What was started; `undefined` before anything was. */
  get launch(): LaunchRecord | undefined {
    return this.#launch;
  }

  /** The directory for what other programs print. */
  get logs(): string {
    return join(this.path, "logs");
  }

  /** Keeps what was started. */
  async saveLaunch(launch: LaunchRecord): Promise<void> {
    await writeLaunchRecord(this.path, launch);
    this.#launch = launch;
  }

  /** Begins a sitting: notes it in `run.json`. */
  begin(now: Date): Promise<void> {
    return this.#journal.begin(now);
  }

  /** Ends the sitting. */
  end(how: SittingEnd): Promise<void> {
    return this.#journal.end(how);
  }

  /** Adds lines of metrics; what is there already is left as it is. @returns Those that were added. */
  async record(lines: readonly AnyMetrics[]): Promise<AnyMetrics[]> {
    const fresh = lines.filter((line) => !this.#keys.has(keyOf(line)));
    if (fresh.length === 0) return [];
    const path = join(this.path, "metrics.jsonl");
    const what = {
      doing: `write "${path}"`,
      path,
      afterwards: `attach again by --attach ${this.path}`,
    };
    const text = new TextEncoder().encode(format(fresh));
    await attempt(what, () => writeAll(this.#metricsFile, text));
    for (const line of fresh) this.#keys.add(keyOf(line));
    this.#lines.push(...fresh);
    return fresh;
  }

  /** Writes a text file of the run. */
  async writeText(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    const what = { doing: `write "${path}"`, path, afterwards: "try again" };
    await attempt(what, () => writeFileAtomic(path, text));
  }

  /** Draws the curve, once there is something to draw. */
  async drawCurve(): Promise<void> {
    const points = curvePoints(this.#lines);
    if (points.length === 0) return;
    const title = `reward, pass^1 (${this.name})`;
    await this.writeText("curve.svg", await curveSvg(points, title));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#metricsFile.close();
    this.#lock.close();
    return Promise.resolve();
  }
}

/**
 * Takes away the lines of steps beyond `step`, which the checkpoint does not have. Of a run that nobody has in use.
 * @returns How many steps were taken away.
 */
export async function cutMetrics(path: string, step: number): Promise<number> {
  const lock = await takeLock(path);
  try {
    const { lines } = await readSlimeRun(path);
    const kept = lines.filter((line) => line.step <= step);
    await writeFileAtomic(join(path, "metrics.jsonl"), format(kept));
    const last = Math.max(0, ...lines.map((line) => line.step));
    return Math.max(0, last - step);
  } finally {
    lock.close();
  }
}

function keyOf(line: AnyMetrics): string {
  return `${line.step} ${metricsSource(line)}`;
}

function format(lines: readonly AnyMetrics[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
