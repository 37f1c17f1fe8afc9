/**
 * The run dir of an evaluation: config.yaml, run.json, episodes.db, lock. One writer.
 *
 * Episodes are written in small batches, each whole or not at all, so a kill loses what was in flight and the
 * last moment; what is there is never run again.
 */

import { join } from "node:path";
import { ConfigError } from "../../env/errors.ts";
import type { Episode } from "../../env/types.ts";
import { formatConfig, resolveBy } from "../config/config.ts";
import { EpisodeStore, type StoredEpisode } from "../runs/episode_store.ts";
import type { RunInfo } from "../runs/run_info.ts";
import {
  makeRunDir,
  RunJournal,
  type SittingEnd,
} from "../runs/run_journal.ts";
import { takeLock } from "../runs/run_lock.ts";
import { readRunInfo } from "../runs/run_reader.ts";
import { attempt, readTextIfThere, writeFileAtomic } from "../runs/storage.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "./evaluation_config.ts";

/** An episode that ended, and its place in the plan. */
export interface Ended {
  readonly episode: Episode;
  /** The position of its task among those evaluated. */
  readonly task: number;
}

/** The most episodes that wait to be written, and the longest they do. */
const BATCH = 64;
const BATCH_MS = 500;

/** An evaluation that is being written. Held by `await using`. */
export class EvaluationDir implements AsyncDisposable {
  readonly path: string;
  readonly config: EvaluationConfig;
  readonly #journal: RunJournal;
  readonly #lock: Deno.FsFile;
  readonly #store: EpisodeStore;
  #waiting: Ended[] = [];
  #since = 0;
  #isClosed = false;

  private constructor(
    path: string,
    parts: { config: EvaluationConfig; journal: RunJournal; lock: Deno.FsFile },
  ) {
    this.path = path;
    this.config = parts.config;
    this.#journal = parts.journal;
    this.#lock = parts.lock;
    this.#store = new EpisodeStore(join(path, "episodes.db"));
  }

  /**
   * Makes `path` and takes it into use.
   * @throws {ConfigError} If it is there already.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    { config, info }: { config: EvaluationConfig; info: RunInfo },
  ): Promise<EvaluationDir> {
    const what = {
      doing: `make the run dir "${path}"`,
      path,
      afterwards: "start again",
    };
    return await attempt(what, async () => {
      await makeRunDir(path);
      const lock = await takeLock(path);
      await writeFileAtomic(join(path, "config.yaml"), formatConfig(config));
      const journal = await RunJournal.create(path, info);
      return new EvaluationDir(path, { config, journal, lock });
    });
  }

  /**
   * Takes an evaluation into use again. Episodes that failed for no fault of the agent are taken away, so that
   * they are tried again.
   * @throws {ConfigError} If there is no such evaluation.
   * @throws {RunDirError} If it is in use, of another version, or damaged.
   */
  static async resume(path: string): Promise<EvaluationDir> {
    const { config } = await readEvaluation(path);
    const lock = await takeLock(path);
    try {
      // Only who holds the lock knows that nobody writes.
      const { info } = await readEvaluation(path);
      const journal = new RunJournal(path, info);
      const dir = new EvaluationDir(path, { config, journal, lock });
      dir.#forgetFailures();
      return dir;
    } catch (error) {
      lock.close();
      throw error;
    }
  }

  get info(): RunInfo {
    return this.#journal.info;
  }

  /** The episodes so far, in the order in which they ended. */
  episodes(): StoredEpisode[] {
    this.flush();
    return this.#store.list();
  }

  /** The messages of an episode, as JSON. */
  conversation(id: number): { messages: string; turns: string } {
    return this.#store.conversation(id);
  }

  /** Adds an episode; it is on disk soon, and after {@linkcode EvaluationDir.flush} at once. */
  add(ended: Ended, now: number): void {
    if (this.#waiting.length === 0) this.#since = now;
    this.#waiting.push(ended);
    if (this.#waiting.length >= BATCH || now - this.#since >= BATCH_MS) {
      this.flush();
    }
  }

  /** Writes what waits. */
  flush(): void {
    const { split } = this.config;
    this.#store.add(
      this.#waiting.map(({ episode, task }) => ({
        episode,
        place: {
          step: 0,
          source: `evaluate/${split}`,
          group: task,
          advantage: null,
        },
      })),
    );
    this.#waiting = [];
  }

  begin(now: Date): Promise<void> {
    return this.#journal.begin(now);
  }

  end(how: SittingEnd): Promise<void> {
    return this.#journal.end(how);
  }

  /** Writes a text file of the evaluation. */
  async writeText(name: string, text: string): Promise<void> {
    await writeFileAtomic(join(this.path, name), text);
  }

  /** Lets go of the directory; once more is no harm. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.flush();
    this.#store[Symbol.dispose]();
    this.#lock.close();
    return Promise.resolve();
  }

  #forgetFailures(): void {
    this.#store.remove(
      this.#store.list().filter(({ failure }) => failure !== null)
        .map(({ id }) => id),
    );
  }
}

/**
 * Reads an evaluation without taking it into use.
 * @throws {ConfigError} If there is none.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readEvaluation(
  path: string,
): Promise<{ config: EvaluationConfig; info: RunInfo }> {
  const info = await readRunInfo(path);
  if (info.kind !== "evaluate") {
    throw new ConfigError(
      `"${path}" is a training run, not an evaluation`,
      { hint: `name one of those, or evaluate it by --policy ${path}` },
    );
  }
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name) ?? "";
  return { info, config: resolveBy(evaluationSchema, { name, text }) };
}
