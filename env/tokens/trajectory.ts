/**
 * What trains: the ids that were sampled and the ids that were appended, as they happened.
 *
 * @module
 */

/** A token sequence with what the trainer needs to know of each token. All three arrays are `[T]`. */
export interface Trajectory {
  readonly ids: readonly number[];
  /** 1 exactly where the policy sampled the token. */
  readonly lossMask: readonly (0 | 1)[];
  /** Natural log of the probability with which a token was sampled; 0 where it was not. */
  readonly logprobs: readonly number[];
}
