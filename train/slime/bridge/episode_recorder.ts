/**
 * Records the episodes of an episode server in a run dir, so that a slime run can be inspected like a run of the
 * embedded trainer. Several servers may write to the same run dir.
 *
 * Episodes neither wait for their recording nor fail because of it. A failed write is retried; episodes that still
 * cannot be written are counted as lost.
 */

import { join } from "node:path";
import { messageOf, RunDirError } from "../../../env/errors.ts";
import type { EndedEpisode } from "../../../env/serve/episode_service.ts";
import { retry, sleep } from "../../../env/retry.ts";
import type { Episode } from "../../../env/types.ts";
import { type EpisodePlace, EpisodeStore } from "../../runs/episode_store.ts";

const FLUSH_EVERY_MS = 500;
/**
 * The maximum number of episodes per write. The process does nothing else during a write, so each write must be short.
 */
const MAX_AT_ONCE = 8;
/**
 * The maximum number of episodes that wait to be written. If there are more, the oldest are discarded and counted as
 * lost.
 */
const MAX_WAITING = 2048;
const ATTEMPTS = 20;
const BUSY_MS = 50;

interface Item {
  readonly episode: Episode;
  readonly place: EpisodePlace;
}

/** Writes episodes to a run dir in the background. */
export class EpisodeRecorder implements AsyncDisposable {
  readonly counts = { kept: 0, lost: 0 };
  /** The error of the most recent failed write; `undefined` if no write has failed. */
  lastError: string | undefined;
  readonly #store: Pick<EpisodeStore, "add"> & Disposable;
  readonly #waiting: Item[] = [];
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Creates a recorder that owns the store. Outside tests, use {@linkcode openEpisodeRecorder}. */
  constructor(store: Pick<EpisodeStore, "add"> & Disposable) {
    this.#store = store;
  }

  /** Queues an episode to be written, and returns at once. */
  add(ended: EndedEpisode): void {
    this.#waiting.push({ episode: ended.episode, place: placeOf(ended) });
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.counts.lost++;
    }
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_EVERY_MS);
  }

  /**
   * Writes the waiting episodes and closes the run dir's database. Episodes that cannot be written are counted as lost.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    for (let tries = 0; this.#waiting.length > 0 && tries < ATTEMPTS;) {
      if (this.#writeSome()) continue;
      tries++;
      await sleep(BUSY_MS, {});
    }
    this.counts.lost += this.#waiting.length;
    this.#store[Symbol.dispose]();
  }

  #flush(): void {
    const isWritten = this.#writeSome();
    const wait = isWritten ? 0 : FLUSH_EVERY_MS;
    this.#timer = this.#waiting.length === 0
      ? undefined
      : setTimeout(() => this.#flush(), wait);
  }

  #writeSome(): boolean {
    const items = this.#waiting.slice(0, MAX_AT_ONCE);
    try {
      this.#store.add(items);
      this.#waiting.splice(0, items.length);
      this.counts.kept += items.length;
      this.#failures = 0;
      return true;
    } catch (error) {
      this.lastError = String(error);
      if (++this.#failures < ATTEMPTS) return false;
      this.#failures = 0;
      this.#waiting.splice(0, items.length);
      this.counts.lost += items.length;
      return false;
    }
  }
}

/**
 * Opens a recorder for the run dir at `path`.
 * @throws {RunDirError} If the run dir does not exist, or its database cannot be written.
 */
export async function openEpisodeRecorder(
  path: string,
): Promise<EpisodeRecorder> {
  const file = join(path, "episodes.db");
  try {
    const open = () => new EpisodeStore(file, { busyMs: BUSY_MS });
    return new EpisodeRecorder(
      await retry(() => Promise.try(open), {
        backoffMs: BUSY_MS,
        factor: 1,
        retries: ATTEMPTS - 1,
        // Several servers start at once, and each tries to create the tables.
        isRetried: (error) => /locked|busy/.test(String(error)),
      }),
    );
  } catch (cause) {
    if (cause instanceof RunDirError) throw cause;
    throw new RunDirError(
      `Cannot record episodes in "${file}": ${messageOf(cause)}`,
      {
        cause,
        hint: "pass --record with an existing, writable run dir",
      },
    );
  }
}

function placeOf({ request, weightVersion }: EndedEpisode): EpisodePlace {
  const { evaluation, split, sampling_params: params, task } = request;
  const isGreedy = params.top_k === 1 || params.temperature === 0;
  const version = Number(weightVersion);
  return {
    step: Number.isSafeInteger(version) ? version : 0,
    source: evaluation
      ? `eval/${split}/${isGreedy ? "greedy" : "sampled"}`
      : "slime",
    group: task,
    advantage: null,
  };
}
