/** The learning-rate schedule over the steps of a phase. */

/** A linear warm-up, then a linear decay. */
export interface Schedule {
  /** The peak learning rate. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** The learning rate at the last step as a share of the peak; 1 keeps it constant. */
  readonly finalShare: number;
  /** The number of steps in the phase. */
  readonly steps: number;
}

/**
 * Returns the learning rate of a step.
 * @param step The step, from 1 to `schedule.steps`.
 */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { learningRate, warmupSteps, finalShare, steps } = schedule;
  if (step <= warmupSteps) return learningRate * step / warmupSteps;
  const done = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return learningRate * (1 - (1 - finalShare) * done);
}
