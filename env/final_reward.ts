/** Computes the reward of a conversation that has ended, for any stop reason. */

import { InfrastructureError } from "./errors.ts";
import {
  type CallOptions,
  type Environment,
  type Judge,
  type Reward,
  STAND_IN,
  type StopReason,
} from "./types.ts";

/** Options for {@linkcode finalReward}. */
export interface FinalRewardOptions extends CallOptions {
  readonly stopReason: StopReason;
  /** The judge with which the environment was created. Default: none. */
  readonly judge?: Judge | undefined;
}

/**
 * Grades a conversation that has ended. As in τ-bench, the reward of a truncated conversation is 0, regardless of its
 * parts.
 * @throws {InfrastructureError} With the kind `not_judged`, if grading requires a judge that asks a model, and none is set.
 */
export async function finalReward(
  environment: Environment,
  { stopReason, judge, ...call }: FinalRewardOptions,
): Promise<Reward> {
  const reward = await environment.judgedReward?.(call) ??
    environment.reward();
  if (reward.isUnjudged) {
    const why = judge === STAND_IN
      ? "The task needs a judge, and the stand-in judge cannot decide"
      : "The task needs a judge, and none is set";
    throw new InfrastructureError(why, {
      kind: "not_judged",
      source: "environment",
    });
  }
  return isEnded(stopReason) ? reward : { ...reward, value: 0 };
}

/** Checks whether a conversation ended properly, without being truncated. */
export function isEnded(stopReason: StopReason): boolean {
  return stopReason === "user_stop" || stopReason === "agent_stop" ||
    stopReason === "transfer";
}
