/** Builds training sequences, which contain the sampled ids and the context ids in their original order. */

import { appendIds } from "./_append_ids.ts";

/** A token sequence with the loss mask and log probabilities for training. All three arrays are `[T]`. */
export interface Trajectory {
  readonly ids: readonly number[];
  /** The loss mask: 1 if the policy sampled the token, or 0 otherwise. */
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
   * The sampled answers in order. Log probabilities are stored only for sampled tokens, which saves memory because most
   * tokens of an episode are context.
   */
  readonly #sampled: Sampled[] = [];

  /** All ids so far, `[T]`. The array grows with the trajectory and must not be modified. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** The last id, or `undefined` if there are no ids. */
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
   * @param logprobs The natural logarithms of the sampling probabilities, `[ids.length]`. They must be at most 0, up to
   * rounding.
   * @throws {RangeError} If the lengths differ or a value is invalid, in which case nothing is appended.
   */
  appendSampled(ids: readonly number[], logprobs: readonly number[]): void {
    if (ids.length !== logprobs.length) {
      throw new RangeError(
        `Cannot append the sampled ids: their number is ${ids.length}, but the number of log probabilities is ${logprobs.length}`,
      );
    }
    checkIds(ids);
    checkLogprobs(logprobs);
    this.#sampled.push({ start: this.#ids.length, logprobs: logprobs.slice() });
    appendIds(this.#ids, ids);
  }

  /**
   * Returns the sequence so far. Later appends do not change it. The three lists are created when they are first read,
   * since they are long and a server reads only parts of them.
   */
  build(): Trajectory {
    const sequence = new Sequence(this.#ids, this.#sampled.slice());
    const { length } = this.#ids;
    let ids: number[] | undefined;
    let lossMask: (0 | 1)[] | undefined;
    let logprobs: number[] | undefined;
    // The caller owns the lists. Freezing them would make slicing and printing slow.
    const trajectory: Trajectory = Object.freeze({
      get ids() {
        return ids ??= sequence.ids.slice(0, length);
      },
      get lossMask() {
        return lossMask ??= sequence.lossMask(0);
      },
      get logprobs() {
        return logprobs ??= sequence.logprobs(0);
      },
    });
    sequences.set(trajectory, sequence);
    return trajectory;
  }
}

/** A sampled answer: its start index, and the log probabilities of its tokens. */
interface Sampled {
  readonly start: number;
  readonly logprobs: readonly number[];
}

/** The {@linkcode Sequence} of each trajectory that was built by a {@linkcode TrajectoryBuilder}. */
const sequences = new WeakMap<Trajectory, Sequence>();

/** A snapshot of a builder's sequence. */
class Sequence {
  /** The builder's list of ids, which may have grown since the snapshot. */
  readonly ids: readonly number[];
  readonly length: number;
  readonly #sampled: readonly Sampled[];

  constructor(ids: readonly number[], sampled: readonly Sampled[]) {
    this.ids = ids;
    this.length = ids.length;
    this.#sampled = sampled;
  }

  /** The index of the first sampled id, or -1 if there is none. */
  get firstSampled(): number {
    const first = this.#sampled.find(({ logprobs }) => logprobs.length > 0);
    return first?.start ?? -1;
  }

  /** Returns the loss mask from a given index to the end. */
  lossMask(from: number): (0 | 1)[] {
    const mask = new Array<0 | 1>(this.length - from).fill(0);
    for (const { start, logprobs } of this.#sampled) {
      const end = start + logprobs.length - from;
      if (end > 0) mask.fill(1, Math.max(0, start - from), end);
    }
    return mask;
  }

  /** Returns the log probabilities from a given index to the end. */
  logprobs(from: number): number[] {
    const all = new Array<number>(this.length - from).fill(0);
    for (const { start, logprobs } of this.#sampled) {
      for (let at = Math.max(0, from - start); at < logprobs.length; at++) {
        all[start + at - from] = logprobs[at]!;
      }
    }
    return all;
  }
}

/** Returns the index of the first sampled id, or -1 if there is none. */
export function firstSampled(trajectory: Trajectory): number {
  return sequences.get(trajectory)?.firstSampled ??
    trajectory.lossMask.indexOf(1);
}

/**
 * Returns the ids of a trajectory, without copying them if no ids have been appended to its builder since the
 * trajectory was built. The returned list may be the builder's list itself and must not be modified.
 */
export function idsOf(trajectory: Trajectory): readonly number[] {
  const sequence = sequences.get(trajectory);
  if (sequence === undefined) return trajectory.ids;
  const { ids, length } = sequence;
  return ids.length === length ? ids : trajectory.ids;
}

/**
 * Returns the loss mask and the log probabilities from the index `from` to the end, each `[T - from]`, without
 * computing the values before that index.
 */
export function restOf(
  trajectory: Trajectory,
  from: number,
): Pick<Trajectory, "lossMask" | "logprobs"> {
  const sequence = sequences.get(trajectory);
  return {
    lossMask: sequence?.lossMask(from) ?? trajectory.lossMask.slice(from),
    logprobs: sequence?.logprobs(from) ?? trajectory.logprobs.slice(from),
  };
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
