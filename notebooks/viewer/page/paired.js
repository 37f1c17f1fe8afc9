// @ts-check
/** The paired difference between two runs on the tasks that both tried. */

/** The two-sided 95% quantile of the normal distribution. */
const NORMAL_95 = 1.959963984540054;

/**
 * Returns the mean difference between two scores over their common tasks (`after` minus `before`), with its 95%
 * interval. All values are NaN if there are no common tasks; the interval is also NaN if there is only one. Because of
 * the pairing, differences in difficulty between tasks do not widen the interval.
 * @param {ReadonlyMap<string, number>} before Score by task.
 * @param {ReadonlyMap<string, number>} after
 * @returns {{ tasks: number, value: number, low: number, high: number }}
 */
export function pairedMean(before, after) {
  const differences = [...before].flatMap(([task, score]) => {
    const other = after.get(task);
    return other === undefined ? [] : [other - score];
  });
  const tasks = differences.length;
  const value = differences.reduce((sum, one) => sum + one, 0) / tasks;
  const squares = differences.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const reach = NORMAL_95 * Math.sqrt(squares / (tasks - 1) / tasks);
  return { tasks, value, low: value - reach, high: value + reach };
}
