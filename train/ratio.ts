/** The importance ratio: how much likelier what was sampled has become since, which the clip bounds. */

/** One way to measure it. */
interface Ratio {
  /** What it does and whose it is, for help. */
  readonly description: string;
  /** @param logRatios `[n]`, log π - log π_old of a sequence's learnt tokens. @returns `[n]`. */
  readonly of: (logRatios: readonly number[]) => number[];
}

/**
 * The ratios by their names in a recipe's `rl.ratio`.
 *
 * @see token: Schulman et al. 2017, "Proximal Policy Optimization Algorithms", section 3.
 * @see sequence: Zheng et al. 2025, "Group Sequence Policy Optimization", equation 7; where the tokens of a sequence have
 * advantages of their own, GSPO-token, equation 13.
 */
const RATIOS = {
  token: {
    description: "each token's own (Schulman et al. 2017)",
    of: (logRatios) => logRatios.map((value) => Math.exp(value)),
  },
  sequence: {
    description:
      "the geometric mean of its sequence's, to be clipped at about 0.01 (Zheng et al. 2025, GSPO)",
    of: (logRatios) => {
      const sum = logRatios.reduce((total, value) => total + value, 0);
      return logRatios.map(() => Math.exp(sum / logRatios.length));
    },
  },
} satisfies Record<string, Ratio>;

/** The name of a ratio. */
export type RatioName = keyof typeof RATIOS;

/** All names. */
export const RATIO_NAMES = Object.keys(RATIOS) as RatioName[];

/** What each is, in one line. */
export const RATIO_HELP: string = Object.entries(RATIOS)
  .map(([name, { description }]) => `${name}: ${description}`).join("; ");

/**
 * The ratio that each learnt token of a sequence has in the loss.
 * @param logRatios `[n]`, log π - log π_old of its learnt tokens.
 * @returns `[n]`; ones where the policy is still the one that sampled.
 */
export function ratios(
  logRatios: readonly number[],
  name: RatioName,
): number[] {
  return RATIOS[name].of(logRatios);
}
