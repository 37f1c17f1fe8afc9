/** What trains: the ids that were sampled and the ids that were appended, as they happened. */

import { appendIds } from "./_append_ids.ts";

/** A token sequence with what the trainer needs to know of each token. All three arrays are `[T]`. */
export interface Trajectory {
  readonly ids: readonly number[];
  /** 1 exactly where the policy sampled the token. */
  readonly lossMask: readonly (0 | 1)[];
  /** Natural log of the probability with which a token was sampled; 0 where it was not. */
  readonly logprobs: readonly number[];
}

/**
 * Grows a {@linkcode Trajectory} at its end. Ids, mask and logprobs are appended in one call, so they
 * cannot drift apart, and nothing that was appended changes.
 */
export class TrajectoryBuilder {
  readonly #ids: number[] = [];
  /** What was sampled, in order. Most of a sequence was not, and an episode under way is to be small. */
  readonly #sampled: Sampled[] = [];

  /** Everything so far, `[T]`. A live view: it grows with the trajectory and is not to be written to. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** The last id, or `undefined` before the first. */
  get last(): number | undefined {
    return this.#ids.at(-1);
  }

  /**
   * Appends what the world said: mask 0, logprob 0.
   * @throws {RangeError} If an id is not a non-negative integer; nothing is appended then.
   */
  appendContext(ids: readonly number[]): void {
    checkIds(ids);
    appendIds(this.#ids, ids);
  }

  /**
   * Appends what the policy sampled: mask 1.
   * @param logprobs `[ids.length]`, natural logs, none above 0.
   * @throws {RangeError} If the lengths differ or a value cannot be; nothing is appended then.
   */
  appendSampled(ids: readonly number[], logprobs: readonly number[]): void {
    if (ids.length !== logprobs.length) {
      throw new RangeError(
        `Cannot append ${ids.length} sampled ids with ${logprobs.length} logprobs: each id needs its own`,
      );
    }
    checkIds(ids);
    checkLogprobs(logprobs);
    this.#sampled.push({ start: this.#ids.length, logprobs: logprobs.slice() });
    appendIds(this.#ids, ids);
  }

  /** What has been appended so far; later appends do not show in it. */
  build(): Trajectory {
    const { length } = this.#ids;
    const lossMask = new Array<0 | 1>(length).fill(0);
    const logprobs = new Array<number>(length).fill(0);
    for (const sampled of this.#sampled) {
      sampled.logprobs.forEach((logprob, i) => {
        lossMask[sampled.start + i] = 1;
        logprobs[sampled.start + i] = logprob;
      });
    }
    // The lists are the caller's own. Frozen, they would be slow to slice and to print, and long ones are.
    return Object.freeze({ ids: this.#ids.slice(), lossMask, logprobs });
  }
}

/** An answer: where it begins, and the logprobs of its tokens. */
interface Sampled {
  readonly start: number;
  readonly logprobs: readonly number[];
}

function checkIds(ids: readonly number[]): void {
  const at = ids.findIndex((id) => !Number.isInteger(id) || id < 0);
  if (at < 0) return;
  throw new RangeError(
    `Cannot append ${
      ids[at]
    } at position ${at}: a token id is a non-negative integer`,
  );
}

/** Rounding may lift the logarithm of a probability of 1 a little above 0. */
const ROUNDING = 1e-4;

function checkLogprobs(logprobs: readonly number[]): void {
  const at = logprobs.findIndex((value) =>
    !Number.isFinite(value) || value > ROUNDING
  );
  if (at < 0) return;
  throw new RangeError(
    `Cannot append logprob ${
      logprobs[at]
    } at position ${at}: a sampled token's is finite and at most 0`,
  );
}
