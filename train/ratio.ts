/**
 * The importance ratio: the probability of a sampled token under the current policy divided by its probability under
 * the policy that sampled it. The policy-gradient loss clips this ratio.
 */

/** A definition of the importance ratio. */
interface Ratio {
  /** The formula and its source, as `--help` shows them. */
  readonly description: string;
  /**
   * Returns the ratio of each token.
   * @param logRatios `[n]`, log π - log π_old of a sequence's tokens with loss mask 1.
   * @returns `[n]`.
   */
  readonly of: (logRatios: readonly number[]) => number[];
}

/**
 * Definitions of the ratio, keyed by their names in a recipe's `rl.ratio`.
 * @see token: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", section 3.
 * @see sequence: Zheng et al. 2025, "Group Sequence Policy Optimization", equation 7; with an advantage per token,
 * GSPO-token, equation 13.
 */
const RATIOS = {
  token: {
    description: "the ratio of each token (Schulman et al. 2017)",
    of: (logRatios) => logRatios.map((value) => Math.exp(value)),
  },
  sequence: {
    description:
      "the geometric mean of the sequence's ratios (Zheng et al. 2025, GSPO), which needs clip ranges of about 0.01",
    of: (logRatios) => {
      const sum = logRatios.reduce((total, value) => total + value, 0);
      return logRatios.map(() => Math.exp(sum / logRatios.length));
    },
  },
} satisfies Record<string, Ratio>;

/** The name of an importance ratio. */
export type RatioName = keyof typeof RATIOS;

/** The names of all importance ratios. */
export const RATIO_NAMES = Object.keys(RATIOS) as RatioName[];

/** The names and descriptions of the importance ratios, for help texts. */
export const RATIO_HELP: string = Object.entries(RATIOS)
  .map(([name, { description }]) => `${name}: ${description}`).join("; ");

/**
 * Returns the ratio of each token in the loss.
 * @param logRatios `[n]`, log π - log π_old of a sequence's tokens with loss mask 1.
 * @returns `[n]`; all ones if the policy has not changed since sampling.
 */
export function ratios(
  logRatios: readonly number[],
  name: RatioName,
): number[] {
  return RATIOS[name].of(logRatios);
}
