/**
 * The run dir of an evaluation: config.yaml, run.json, episodes.db, lock. One writer.
 *
 * Episodes are written in small batches, each whole or not at all, so a kill loses what was in flight and the
 * last moment; what is there is never run again.
 */

import { join } from "node:path";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import type { Episode } from "../../env/types.ts";
import { resolveBy } from "../config/config.ts";
import { EpisodeStore, type StoredEpisode } from "../runs/episode_store.ts";
import {
  createRunDir,
  type LockedRun,
  type NewRun,
  reopenRunDir,
  RunDir,
} from "../runs/run_dir.ts";
import { registerRunKind } from "../runs/run_kind.ts";
import { readRunOf, type RunRecord } from "../runs/run_reader.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "./evaluation_config.ts";

const EVALUATION = registerRunKind<EvaluationConfig, never>({
  kind: "evaluate",
  trainer: "cpu",
  parseConfig: (config) => resolveBy(evaluationSchema, config),
  refusal: (path) =>
    new ConfigError(`"${path}" is a training run, not an evaluation`, {
      hint: `name one of those, or evaluate it by --policy ${path}`,
    }),
});

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
export class EvaluationDir extends RunDir<EvaluationConfig> {
  readonly #store: EpisodeStore;
  #waiting: Ended[] = [];
  #since = 0;

  private constructor(run: LockedRun<EvaluationConfig>) {
    super(run);
    this.#store = this.held.use(
      new EpisodeStore(join(run.path, "episodes.db")),
    );
    this.held.defer(() => this.flush());
  }

  /**
   * Makes `path` and locks it.
   * @throws {ConfigError} If it is there already.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    options: NewRun<EvaluationConfig>,
  ): Promise<EvaluationDir> {
    return await createRunDir(path, options, (run) => new EvaluationDir(run));
  }

  /**
   * Reopens an evaluation. Episodes that failed for no fault of the agent are removed, so that they are retried.
   * @param options.discard Whether to run episodes again that were scored and are lost. Default: that is an error.
   * @throws {ConfigError} If there is no such evaluation.
   * @throws {RunDirError} If it is in use, of another version, or damaged.
   */
  static async resume(
    path: string,
    { discard = false }: { readonly discard?: boolean } = {},
  ): Promise<EvaluationDir> {
    return await reopenRunDir(path, EVALUATION, (run) => {
      if (!discard) checkWhole(run);
      const dir = new EvaluationDir(run);
      dir.#forgetFailures();
      return dir;
    });
  }

  /** The episodes so far, in the order in which they ended. */
  episodes(): StoredEpisode[] {
    this.flush();
    return this.#store.list();
  }

  /** The keys of the episodes so far, see {@linkcode keyOf}. */
  keys(): Set<string> {
    this.flush();
    return new Set(this.#store.keys().map(keyOf));
  }

  /**
   * Takes over the episodes that another run dir has of the same evaluation; those that are here stay as they are, and
   * failures of the infrastructure are left there.
   */
  takeOver(path: string): void {
    using other = new EpisodeStore(join(path, "episodes.db"));
    const known = this.keys();
    const failed = new Set(
      other.keys().filter(({ isFailed }) => isFailed).map(keyOf),
    );
    this.attemptNow(
      "take over episodes",
      "episodes.db",
      () =>
        this.#store.copyFrom(other, (one) => {
          const key = keyOf(one);
          const isNew = !known.has(key) && !failed.has(key);
          known.add(key);
          return isNew;
        }),
    );
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
    const items = this.#waiting.map(({ episode, task }) => ({
      episode,
      place: {
        step: 0,
        source: `evaluate/${split}`,
        group: task,
        advantage: null,
      },
    }));
    this.attemptNow(
      "write episodes",
      "episodes.db",
      () => this.#store.add(items),
    );
    this.#waiting = [];
  }

  #forgetFailures(): void {
    const { episodes, damaged } = this.#store.readable();
    const failed = episodes.filter(({ failure }) => failure !== null);
    this.#store.remove([...failed, ...damaged].map(({ id }) => id));
  }
}

/** Names an episode of an evaluation: its task, and the seed that its trial has. */
export function keyOf(
  { taskId, seed }: { readonly taskId: string; readonly seed: number },
): string {
  return `${taskId} ${seed}`;
}

/** @throws {RunDirError} If episodes are lost that had been scored when the last session ended. */
function checkWhole(
  { path, info }: Pick<LockedRun<EvaluationConfig>, "path" | "info">,
): void {
  using store = new EpisodeStore(join(path, "episodes.db"));
  const { length } = store.readable().episodes
    .filter(({ failure }) => failure === null);
  const before = Number(info.result?.["scored"] ?? 0);
  if (length >= before) return;
  throw new RunDirError(
    `Cannot resume "${path}": episodes.db has ${length} of the ${before} scored episodes that run.json tells of`,
    { hint: `restore it; or run them again by --resume ${path} --discard` },
  );
}

/**
 * Reads an evaluation without locking it.
 * @throws {ConfigError} If there is none.
 * @throws {RunDirError} If it is of another version or damaged.
 */
export async function readEvaluation(
  path: string,
): Promise<RunRecord<EvaluationConfig, never>> {
  return await readRunOf(path, EVALUATION);
}
