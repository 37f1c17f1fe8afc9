/** Builds training sequences, which contain the sampled ids and the context ids in the order in which they occurred. */

import { appendIds } from "./_append_ids.ts";

/** A token sequence with the loss mask and log probabilities for training. All three arrays are `[T]`. */
export interface Trajectory {
  readonly ids: readonly number[];
  /** 1 if the policy sampled the token, otherwise 0. */
  readonly lossMask: readonly (0 | 1)[];
  /** The natural logarithm of each token's sampling probability, or 0 for context tokens. */
  readonly logprobs: readonly number[];
}

/**
 * A builder for a {@linkcode Trajectory}. Ids, mask and log probabilities are appended together, so that their lengths
 * always match. Appended values never change.
 */
export class TrajectoryBuilder {
  readonly #ids: number[] = [];
  /**
   * The sampled answers in order. Storing only these limits the memory of running episodes, since most tokens are
   * context.
   */
  readonly #sampled: Sampled[] = [];

  /** All ids so far, `[T]`. The array grows with the trajectory and must not be modified. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** The last id, or `undefined` if there is none. */
  get last(): number | undefined {
    return this.#ids.at(-1);
  }

  /**
   * Appends context tokens, with mask 0 and log probability 0.
   * @throws {RangeError} If an id is not a non-negative integer, in which case nothing is appended.
   */
  appendContext(ids: readonly number[]): void {
    checkIds(ids);
    appendIds(this.#ids, ids);
  }

  /**
   * Appends sampled tokens, with mask 1.
   * @param logprobs `[ids.length]`, natural logarithms, at most 0.
   * @throws {RangeError} If the lengths differ or a value is invalid, in which case nothing is appended.
   */
  appendSampled(ids: readonly number[], logprobs: readonly number[]): void {
    if (ids.length !== logprobs.length) {
      throw new RangeError(
        `Cannot append ${ids.length} sampled ids with ${logprobs.length} log probabilities: the numbers must be equal`,
      );
    }
    checkIds(ids);
    checkLogprobs(logprobs);
    this.#sampled.push({ start: this.#ids.length, logprobs: logprobs.slice() });
    appendIds(this.#ids, ids);
  }

  /** Returns a copy of the sequence so far, which later appends do not change. */
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
    // The caller owns the lists. They are long, and freezing them would make slicing and printing slow.
    return Object.freeze({ ids: this.#ids.slice(), lossMask, logprobs });
  }
}

/** A sampled answer: its start index, and the log probabilities of its tokens. */
interface Sampled {
  readonly start: number;
  readonly logprobs: readonly number[];
}

function checkIds(ids: readonly number[]): void {
  const at = ids.findIndex((id) => !Number.isInteger(id) || id < 0);
  if (at < 0) return;
  throw new RangeError(
    `Cannot append the id ${
      ids[at]
    } at position ${at}: a token id must be a non-negative integer`,
  );
}

/** Tolerance for log probabilities slightly above 0 due to rounding. */
const ROUNDING = 1e-4;

function checkLogprobs(logprobs: readonly number[]): void {
  const at = logprobs.findIndex((value) =>
    !Number.isFinite(value) || value > ROUNDING
  );
  if (at < 0) return;
  throw new RangeError(
    `Cannot append the log probability ${
      logprobs[at]
    } at position ${at}: it must be finite and at most 0`,
  );
}
