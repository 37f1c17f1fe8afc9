/** Compares rewards with the rewards that τ-bench recorded. */

import type { JsonObject } from "../../../python/python_json.ts";
import { fromPlain } from "../../../python/python_json.ts";
import { equalityKey } from "../../../python/python_object.ts";
import { type Outcome, tauBenchRewardInfo } from "../../../reward.ts";
import type { Reward } from "../../../types.ts";
import type { Checker } from "./mismatch.ts";

/** Compares a reward and its `info` with the recorded reward and `info`. */
export function checkRewardInfo(
  recorded: { readonly reward: number; readonly info: JsonObject },
  { checker, outcome, reward, step }: {
    checker: Checker;
    outcome: Pick<Outcome, "gold" | "task">;
    reward: Reward;
    step: number | null;
  },
): void {
  checker.equal("reward", {
    expected: recorded.reward,
    got: reward.value,
    step,
  });
  const info = fromPlain(tauBenchRewardInfo(outcome, reward));
  checker.equal("reward_info", {
    expected: equalityKey(recorded.info),
    got: equalityKey(info),
    step,
  });
}
