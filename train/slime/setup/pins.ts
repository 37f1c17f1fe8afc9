/** What this taulab was written against: slime's commit and its image, which belong together, and tau-bench's commit. */

/** Of slime. */
export const SLIME_COMMIT = "624b824a898ab0ec1fcb4d373004c7f3852bf515";

/** Of tau-bench. */
export const TAU_BENCH_COMMIT = "59a200c6d575d595120f1cb70fea53cef0632f6b";

/** The commit of τ³-bench whose tools, prompts and data are those of the domains here. */
export const TAU3_BENCH_COMMIT = "a2c024725189473d2d7cea3a5cfdbcc67478e41f";

/** `docker/version.txt` of {@linkcode SLIME_COMMIT}. */
const SLIME_IMAGE = "nightly-dev-20260810a";

/**
 * The image of a slime commit, for CUDA 12; `-cu130` is the one for Blackwell.
 * @param version Its `docker/version.txt`.
 * @see slime `docker/justfile` at 624b824.
 */
export function imageOf(version: string): string {
  return `slimerl/slime:${version}-cu129`;
}

/** The image that a set-up takes. */
export const DEFAULT_IMAGE = imageOf(SLIME_IMAGE);
