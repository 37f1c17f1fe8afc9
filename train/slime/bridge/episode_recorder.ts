/**
 * Keeps the episodes that a server plays in the run dir of the run that they are of, so that a run of slime can be
 * looked at as one of the embedded trainer can. Several servers write to the same one.
 *
 * It never holds an episode up and never breaks one: what cannot be written is retried, then counted as lost.
 */

import { join } from "node:path";
import { RunDirError } from "../../../env/errors.ts";
import type { EndedEpisode } from "../../../env/serve/episode_service.ts";
import { retry, sleep } from "../../../env/retry.ts";
import type { Episode } from "../../../env/types.ts";
import { type EpisodePlace, EpisodeStore } from "../../runs/episode_store.ts";

const FLUSH_EVERY_MS = 500;
/** Written at a time, since writing holds everything else up. */
const MOST_AT_ONCE = 8;
/** Kept while they cannot be written. */
const MOST_WAITING = 2048;
const ATTEMPTS = 20;
const BUSY_MS = 50;

interface Item {
  readonly episode: Episode;
  readonly place: EpisodePlace;
}

/** Writes episodes to a run dir, in the background. */
export class EpisodeRecorder implements AsyncDisposable {
  readonly counts = { kept: 0, lost: 0 };
  /** Why the last one that was lost could not be written. */
  lastError: string | undefined;
  readonly #store: Pick<EpisodeStore, "add"> & Disposable;
  readonly #waiting: Item[] = [];
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Made by {@linkcode openEpisodeRecorder}; the store is its own from now on. */
  constructor(store: Pick<EpisodeStore, "add"> & Disposable) {
    this.#store = store;
  }

  /** Takes an episode; returns at once. */
  add(ended: EndedEpisode): void {
    this.#waiting.push({ episode: ended.episode, place: placeOf(ended) });
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.counts.lost++;
    }
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_EVERY_MS);
  }

  /** Writes what is left, and lets go of the run dir. */
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
    const items = this.#waiting.slice(0, MOST_AT_ONCE);
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
 * Opens the run dir at `path`, which has to be there.
 * @throws {RunDirError} If it is not, or its database cannot be written.
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
        // Several servers begin at once, and each wants to make the tables.
        isRetried: (error) => /locked|busy/.test(String(error)),
      }),
    );
  } catch (cause) {
    if (cause instanceof RunDirError) throw cause;
    throw new RunDirError(
      `Cannot keep episodes in "${file}": ${cause}`,
      {
        cause,
        hint: "--record names a run dir that is there and may be written",
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
