/**
 * The run dir of an evaluation: config.yaml, run.json, episodes.db, lock. Only one process at a time writes to it.
 *
 * Episodes are written atomically in small batches. If the process is killed, only the episodes in progress and those
 * in the current batch are lost. Scored episodes that have been written are not rerun.
 */

import { join } from "node:path";
import { ConfigError, RunDirError } from "../../env/errors.ts";
import type { Episode } from "../../env/types.ts";
import { resolveBy } from "../config/config.ts";
import { EpisodeStore, type StoredEpisode } from "../runs/episode_store.ts";
import {
  createRunDir,
  type LockedRun,
  type NewRunDir,
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
  refusal: (path, { trainer }) =>
    new ConfigError(`"${path}" is a training run, not an evaluation`, {
      hint: trainer === "cpu"
        ? `pass an evaluation, or evaluate the run with --policy ${path}`
        : "pass an evaluation",
    }),
});

/** A completed episode and its position in the plan. */
export interface Ended {
  readonly episode: Episode;
  /** The index of the episode's task among the evaluated tasks. */
  readonly task: number;
}

/** The maximum number of episodes that wait to be written. */
const BATCH = 64;
/** The time in milliseconds after which waiting episodes are written together with the next one. */
const BATCH_MS = 500;

/** An evaluation's run dir, open for writing. Use it with `await using`. */
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
   * Creates a run dir and locks it.
   * @throws {ConfigError} If it exists already and `numberIfTaken` is false.
   * @throws {RunDirError} If it cannot be written.
   */
  static async create(
    path: string,
    options: NewRunDir<EvaluationConfig>,
  ): Promise<EvaluationDir> {
    return await createRunDir(path, options, (run) => new EvaluationDir(run));
  }

  /**
   * Reopens an evaluation. Damaged episodes, and episodes that failed for reasons unrelated to the agent, are removed,
   * so that they run again.
   * @param options.discard Whether to rerun scored episodes that `episodes.db` has lost. Default: `false`, in which
   * case a loss is an error.
   * @throws {ConfigError} If there is no such evaluation.
   * @throws {RunDirError} If it is in use, damaged or from an incompatible version.
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

  /** Returns the episodes so far, in the order of their completion. */
  episodes(): StoredEpisode[] {
    this.flush();
    return this.#store.list();
  }

  /** Returns the keys of the episodes so far; see {@linkcode keyOf}. */
  keys(): Set<string> {
    this.flush();
    return new Set(this.#store.keys().map(keyOf));
  }

  /**
   * Copies the episodes of another run dir of the same evaluation. Existing episodes are kept, and infrastructure
   * failures are not copied.
   */
  mergeFrom(path: string): void {
    using other = new EpisodeStore(join(path, "episodes.db"));
    const known = this.keys();
    const failed = new Set(
      other.keys().filter(({ isFailed }) => isFailed).map(keyOf),
    );
    this.attemptNow(
      "copy episodes",
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

  /** Returns the messages and turns of an episode, as JSON. */
  conversation(id: number): { messages: string; turns: string } {
    return this.#store.conversation(id);
  }

  /**
   * Queues an episode, and writes the queue if it is full or its first episode has waited long enough. Call
   * {@linkcode EvaluationDir.flush} to write the queue immediately.
   */
  add(ended: Ended, now: number): void {
    if (this.#waiting.length === 0) this.#since = now;
    this.#waiting.push(ended);
    if (this.#waiting.length >= BATCH || now - this.#since >= BATCH_MS) {
      this.flush();
    }
  }

  /** Writes the queued episodes. */
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

/** Returns the key of an episode: its task and the seed of its trial. */
export function keyOf(
  { taskId, seed }: { readonly taskId: string; readonly seed: number },
): string {
  return `${taskId} ${seed}`;
}

/**
 * Checks that `episodes.db` still has all scored episodes.
 * @throws {RunDirError} If there are fewer scored episodes than at the end of the last session.
 */
function checkWhole(
  { path, info }: Pick<LockedRun<EvaluationConfig>, "path" | "info">,
): void {
  using store = new EpisodeStore(join(path, "episodes.db"));
  const { length } = store.readable().episodes
    .filter(({ failure }) => failure === null);
  const before = Number(info.result?.["scored"] ?? 0);
  if (length >= before) return;
  throw new RunDirError(
    `Cannot resume "${path}": episodes.db has only ${length} of the ${before} scored episodes recorded in run.json`,
    {
      hint:
        `restore episodes.db, or rerun the missing episodes with --resume ${path} --discard`,
    },
  );
}

/**
 * Reads an evaluation without locking it.
 * @throws {ConfigError} If it does not exist.
 * @throws {RunDirError} If its version is unsupported or it is damaged.
 */
export async function readEvaluation(
  path: string,
): Promise<RunRecord<EvaluationConfig, never>> {
  return await readRunOf(path, EVALUATION);
}
