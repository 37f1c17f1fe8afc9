/** Converts τ³-bench's reward to the common `Reward`: parts, differing rows, and each check with its reason. */

import type { Databases } from "../../domain.ts";
import { printPythonJson } from "../../python/python_json.ts";
import { toPlain } from "../../python/python_value.ts";
import { describeRow } from "../../reward.ts";
import type { Reward, RewardCheck } from "../../types.ts";
import { targetWorld } from "./evaluators/environment_evaluator.ts";
import { rewardInfoObject, type Tau3Reward } from "./tau3_reward.ts";
import type { Tau3Task } from "./tau3_task.ts";
import type { WorldSource } from "./tau3_world.ts";

/** The parts of an episode that are needed to find the rows that differ from the expected rows. */
export interface RewardedEpisode {
  readonly bundle: WorldSource;
  readonly source: Tau3Task;
  /** The databases at the end of the conversation. */
  readonly databases: Databases;
}

/** Converts an episode's τ³-bench reward, including the differing rows. */
export function episodeReward(
  judged: Tau3Reward,
  episode: RewardedEpisode,
): Reward {
  return {
    ...judgedReward(judged),
    differences: judged.basis?.includes("DB") ? differencesOf(episode) : [],
    record: toPlain(rewardInfoObject(judged)),
  };
}

/**
 * Converts a τ³-bench reward without comparing rows. If the value is unknown because a judge is missing, it becomes 0
 * and `isUnjudged` is set.
 */
export function judgedReward(judged: Tau3Reward): Reward {
  const parts = new Map(judged.breakdown ?? []);
  const told = parts.get("COMMUNICATE");
  parts.delete("COMMUNICATE");
  const isWrong = judged.breakdown === null
    ? judged.value === 0
    : [...parts.values()].includes(0);
  return {
    value: judged.value ?? 0,
    parts: {
      database: isWrong ? 0 : 1,
      outputs: told === undefined ? null : told === 1 ? 1 : 0,
    },
    differences: [],
    missingOutputs: told === undefined
      ? []
      : (judged.communicate ?? []).filter(({ met }) => !met)
        .map(({ info }) => info),
    checks: checksOf(judged),
    ...judged.value === null && { isUnjudged: true as const },
  };
}

function differencesOf(
  { bundle, source, databases }: RewardedEpisode,
): Reward["differences"] {
  const target = targetWorld(bundle, source).databases;
  const pairs = target.agent.diff(databases.agent);
  if (databases.user !== undefined && target.user !== undefined) {
    pairs.push(...target.user.diff(databases.user));
  }
  return pairs.map(describeRow);
}

/** Returns the individual checks of a reward, in the order of its parts. */
function checksOf(reward: Tau3Reward): RewardCheck[] {
  const counts = new Set(reward.breakdown?.map(([part]) => part) ?? []);
  const of = (
    part: RewardCheck["part"],
    check: Omit<RewardCheck, "part" | "counts">,
  ) => ({
    part,
    counts: counts.has(part as never),
    ...check,
  });
  const checks: RewardCheck[] = [];
  if (reward.databaseMatch !== null) {
    checks.push(of("DB", {
      what: "both databases match the result of the expected actions",
      met: reward.databaseMatch,
    }));
  }
  for (const { assertion, met } of reward.assertions ?? []) {
    const { name, arguments: args, expected } = assertion;
    const what = `${name}(${printPythonJson(args)}) is ${expected}`;
    checks.push(of("ENV_ASSERTION", { what, met }));
  }
  for (const { action, match } of reward.actions ?? []) {
    const what = `${action.requestor} calls ${action.name}(${
      printPythonJson(action.arguments)
    })`;
    checks.push(of("ACTION", { what, met: match }));
  }
  for (const { info, met, justification } of reward.communicate ?? []) {
    checks.push(of("COMMUNICATE", { what: info, met, why: justification }));
  }
  for (const check of reward.nlAssertions ?? []) {
    const { assertion, met, justification } = check;
    checks.push(
      of("NL_ASSERTION", { what: assertion, met, why: justification }),
    );
  }
  if (reward.value === null && reward.nlAssertions === null) {
    checks.push(of("NL_ASSERTION", { what: "assertions in prose", met: null }));
  }
  return checks;
}
