/** Pins the versions that this version of taulab supports: slime's commit and image, and the benchmarks' commits. */

/** The commit of slime that setup installs by default. */
export const SLIME_COMMIT = "624b824a898ab0ec1fcb4d373004c7f3852bf515";

/** The commit of tau-bench that setup installs by default. */
export const TAU_BENCH_COMMIT = "59a200c6d575d595120f1cb70fea53cef0632f6b";

/** The commit of tau3-bench from which this repository's domains take their tools, prompts and dataset. */
export const TAU3_BENCH_COMMIT = "a2c024725189473d2d7cea3a5cfdbcc67478e41f";

/** The contents of `docker/version.txt` at {@linkcode SLIME_COMMIT}. */
const SLIME_IMAGE = "nightly-dev-20260810a";

/**
 * Returns the name of the image for a version of slime, built for CUDA 12. Images for Blackwell end with `-cu130`.
 * @param version The contents of `docker/version.txt`.
 * @see slime `docker/justfile` at 624b824.
 */
export function imageOf(version: string): string {
  return `slimerl/slime:${version}-cu129`;
}

/** The name of the image that setup uses by default. */
export const DEFAULT_IMAGE = imageOf(SLIME_IMAGE);
