/**
 * The on-disk contract of a run: one writer, any number of readers.
 *
 *     runs/<name>/  config.yaml  run.json  metrics.jsonl  episodes.db  checkpoints/<step>/  logs/  lock
 *
 * A step is written in this order: its episodes (one transaction), its line of metrics, its checkpoint
 * (renamed into place). So a line of metrics says that its episodes are there, and a checkpoint that its
 * line is; {@linkcode RunDir.resume} takes away what a kill left beyond that.
 */

import { basename, join } from "node:path";
import type { Episode, Usage } from "../../env/types.ts";
import { addUsage, NO_USAGE } from "../../env/models/usage.ts";
import { type Config, formatConfig } from "../config/config.ts";
import { type EpisodePlace, EpisodeStore } from "./episode_store.ts";
import { type Metrics, metricsSource } from "./metrics.ts";
import type { RunInfo } from "./run_info.ts";
import { makeRunDir, RunJournal, type SittingEnd } from "./run_journal.ts";
import { takeLock } from "./run_lock.ts";
import {
  checkCheckpoint,
  CHECKPOINT_VERSION,
  checkpointSteps,
  readRun,
} from "./run_reader.ts";
import {
  type Attempt,
  attempt,
  removeIfThere,
  writeAll,
  writeFileAtomic,
} from "./storage.ts";

interface RunDirParts {
  readonly config: Config;
  readonly journal: RunJournal;
  readonly lock: Deno.FsFile;
  readonly lines: Metrics[];
}

/** A run that is being written. Held by `await using`. */
export class RunDir implements AsyncDisposable {
  /** `runs/a1`. */
  readonly path: string;
  readonly config: Config;
  readonly #journal: RunJournal;
  readonly #lock: Deno.FsFile;
  readonly #metricsFile: Deno.FsFile;
  readonly #episodes: EpisodeStore;
  readonly #lines: Metrics[];

  private constructor(path: string, parts: RunDirParts) {
    this.path = path;
    this.config = parts.config;
    this.#journal = parts.journal;
    this.#lines = parts.lines;
    this.#lock = parts.lock;
    this.#episodes = new EpisodeStore(join(path, "episodes.db"));
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
    options: { config: Config; info: RunInfo },
  ): Promise<RunDir> {
    const what = {
      doing: `make the run dir "${path}"`,
      path,
      afterwards: "start again",
    };
    return await attempt(what, async () => {
      await makeRunDir(path);
      await Deno.mkdir(join(path, "checkpoints"));
      await Deno.mkdir(join(path, "logs"));
      const lock = await takeLock(path);
      await writeFileAtomic(
        join(path, "config.yaml"),
        formatConfig(options.config),
      );
      const journal = await RunJournal.create(path, options.info);
      return new RunDir(path, { ...options, journal, lock, lines: [] });
    });
  }

  /**
   * Takes a run into use again. What a kill left beyond its last checkpoint is taken away: lines and
   * episodes of later steps, episodes without their line, halves of checkpoints.
   * @throws {ConfigError} If there is no such run.
   * @throws {RunDirError} If it is in use, of another version, or damaged.
   */
  static async resume(path: string): Promise<RunDir> {
    const what = {
      doing: `resume the run "${path}"`,
      path,
      afterwards: "resume it again",
    };
    return await attempt(what, async () => {
      await readRun(path);
      const lock = await takeLock(path);
      try {
        const { config, info, lines } = await readRun(path);
        const step = (await checkpointSteps(path)).at(-1) ?? 0;
        if (step > 0) await checkCheckpoint(path, { step });
        const kept = lines.filter((line) => line.step <= step);
        await writeFileAtomic(join(path, "metrics.jsonl"), formatLines(kept));
        await removeStale(path);
        const journal = new RunJournal(path, info);
        const run = new RunDir(path, { config, journal, lock, lines: kept });
        run.#pruneEpisodes();
        return run;
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

  /** The lines of `metrics.jsonl` so far. */
  get metrics(): readonly Metrics[] {
    return this.#lines;
  }

  /** The directory for what other programs print. */
  get logs(): string {
    return join(this.path, "logs");
  }

  /** Begins a sitting: notes it in `run.json`. */
  begin(now: Date): Promise<void> {
    return this.#journal.begin(now);
  }

  /** Ends the sitting. */
  end(how: SittingEnd): Promise<void> {
    return this.#journal.end(how);
  }

  /** Writes a step's or an evaluation's episodes and its line of metrics. */
  async record(
    line: Metrics,
    episodes: readonly { episode: Episode; place: EpisodePlace }[] = [],
  ): Promise<void> {
    const what = `write step ${line.step}`;
    await attempt(
      this.#attempt(what, "episodes.db"),
      () => this.#episodes.add(episodes),
    );
    await attempt(this.#attempt(what, "metrics.jsonl"), async () => {
      const text = new TextEncoder().encode(formatLines([line]));
      await writeAll(this.#metricsFile, text);
    });
    this.#lines.push(line);
  }

  /** What the customers' models used in the episodes so far. */
  customerUsage(): Usage {
    return this.#episodes.list()
      .map(({ usage }) => usage?.user ?? NO_USAGE)
      .reduce(addUsage, NO_USAGE);
  }

  /** The steps that a checkpoint is kept of, in order. */
  async checkpoints(): Promise<number[]> {
    return await checkpointSteps(this.path);
  }

  /** The directory of a step's checkpoint. */
  checkpointPath(step: number): string {
    return join(this.path, "checkpoints", String(step));
  }

  /** Writes a checkpoint whole or not at all: `write` fills a directory, which is then renamed. */
  async saveCheckpoint(
    step: number,
    write: (dir: string) => Promise<void>,
  ): Promise<void> {
    const target = this.checkpointPath(step);
    const partial = `${target}.partial`;
    const what = this.#attempt(
      `save the checkpoint of step ${step}`,
      "checkpoints",
    );
    await attempt(what, async () => {
      await removeIfThere(partial);
      await Deno.mkdir(partial, { recursive: true });
      await write(partial);
      const head = { schemaVersion: CHECKPOINT_VERSION, step };
      await writeFileAtomic(
        join(partial, "checkpoint.json"),
        JSON.stringify(head),
      );
      await this.#metricsFile.syncData();
      await Deno.rename(partial, target);
    });
  }

  /** Removes all checkpoints but the last `keep` and those of the steps in `spare`. */
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

  /** Writes a text file of the run: a figure, a tokenizer. */
  async writeText(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    await attempt(
      this.#attempt(`write "${path}"`, name),
      () => writeFileAtomic(path, text),
    );
  }

  /** Keeps only the episodes whose line of metrics is there. */
  #pruneEpisodes(): void {
    const whole = new Set(
      this.#lines.map((line) => `${line.step} ${metricsSource(line)}`),
    );
    this.#episodes.prune((step, source) => whole.has(`${step} ${source}`));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#episodes[Symbol.dispose]();
    this.#metricsFile.close();
    this.#lock.close();
    return Promise.resolve();
  }

  #attempt(doing: string, name: string): Attempt {
    return {
      doing,
      path: join(this.path, name),
      afterwards: `continue with "deno task train --resume ${this.path}"`,
    };
  }
}

async function removeStale(path: string): Promise<void> {
  const checkpoints = join(path, "checkpoints");
  for await (const { name } of Deno.readDir(checkpoints)) {
    if (name.endsWith(".partial")) await removeIfThere(join(checkpoints, name));
  }
}

function formatLines(lines: readonly Metrics[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
