/** The reward of a conversation that has ended, however it ended. */

import { InfrastructureError } from "./errors.ts";
import {
  type CallOptions,
  type Environment,
  type Judge,
  type Reward,
  STAND_IN,
  type StopReason,
} from "./types.ts";

/** How the conversation ended, and who judges what no program can. */
export interface EndOptions extends CallOptions {
  readonly stopReason: StopReason;
  /** Default: nobody. */
  readonly judge?: Judge | undefined;
}

/**
 * Grades it. As in τ-bench, a conversation that was cut off has the value 0, whatever its parts.
 * @throws {InfrastructureError} Of kind `not_judged`, if only a judge could tell and there is none.
 */
export async function finalReward(
  environment: Environment,
  { stopReason, judge, ...call }: EndOptions,
): Promise<Reward> {
  const reward = await environment.judgedReward?.(call) ??
    environment.reward();
  if (reward.isUnjudged) {
    const why = judge === STAND_IN
      ? "The task needs a judge, and its stand-in cannot tell"
      : "The task needs a judge, and has none";
    throw new InfrastructureError(why, {
      kind: "not_judged",
      source: "environment",
    });
  }
  const ended = stopReason === "user_stop" || stopReason === "transfer";
  return ended ? reward : { ...reward, value: 0 };
}
