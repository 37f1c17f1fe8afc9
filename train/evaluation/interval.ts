/** Estimates confidence intervals for measured shares. */

/** A share with its 95% confidence interval, all from 0 to 1; NaN if nothing was measured. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5% quantile of the standard normal distribution. */
const Z = 1.959963984540054;

/**
 * Estimates the mean of a share from its values on several tasks, with a confidence interval.
 *
 * Tasks are independent draws, but trials of one task are not. The interval is Wilson's at the effective sample size
 * that the spread between tasks implies, so it has a positive width even if all tasks agree.
 * @param shares `[P]`, the estimate for each task, from 0 to 1.
 * @see Wilson 1927; Korn and Graubard 1998, "Confidence intervals for proportions with small expected number of
 * positive counts estimated from survey data", for the effective sample size.
 */
export function estimateShare(shares: readonly number[]): Estimate {
  const count = shares.length;
  if (count === 0) return { value: NaN, low: NaN, high: NaN };
  const value = shares.reduce((sum, share) => sum + share, 0) / count;
  const size = effectiveSize(shares, value);
  const centre = value + Z * Z / (2 * size);
  const reach = Z * Math.sqrt(
    value * (1 - value) / size + Z * Z / (4 * size * size),
  );
  const scale = 1 + Z * Z / size;
  return {
    value,
    // Avoid rounding errors at 0 and 1.
    low: value === 0 ? 0 : Math.max(0, (centre - reach) / scale),
    high: value === 1 ? 1 : Math.min(1, (centre + reach) / scale),
  };
}

/**
 * Returns the number of independent Bernoulli draws whose mean has the same variance as the mean of the shares. The
 * result is at least the number of tasks.
 */
function effectiveSize(shares: readonly number[], mean: number): number {
  const count = shares.length;
  const squares = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0);
  const variance = count > 1 ? squares / (count - 1) : 0;
  const ofOne = mean * (1 - mean);
  // If all tasks have the same share between 0 and 1, their variance of 0 would imply infinitely many draws.
  return variance > 0 && ofOne > 0
    ? Math.max(count, count * ofOne / variance)
    : count;
}
