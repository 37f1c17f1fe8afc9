/** Searches for an order in which the expected actions lead to a state that earns the reward. */

import type { Databases } from "../../domain.ts";
import { RaisedError } from "./raised.ts";
import { ToolError } from "../../errors.ts";
import { targetWorld } from "./evaluators/environment_evaluator.ts";
import type { ExpectedAction, Tau3Task } from "./tau3_task.ts";
import { Tau3World, toolNamed, type WorldSource } from "./tau3_world.ts";

/** The maximum number of worlds to visit. */
const MAX_WORLDS = 400;

/**
 * Checks whether some order of the expected writes leads from `databases` to a state that earns the reward. The search
 * is depth-first, starts with the expected order and uses each action at most once. Actions that were already taken are
 * tried too, since a setting that was switched twice may have to be switched again.
 * @returns `"yes"` if the search found such an order, `"no"` if there is none, and `"unknown"` if the search reached
 * its limit before it found one.
 */
export function canFinish(
  databases: Databases,
  { bundle, source }: {
    readonly bundle: WorldSource;
    readonly source: Tau3Task;
  },
): "yes" | "no" | "unknown" {
  const writes = (source.criteria?.actions ?? []).filter((action) =>
    toolNamed(bundle, action)?.kind === "write"
  );
  const seen = new Set<string>();
  let left = MAX_WORLDS;

  function reaches(
    world: Tau3World,
    unused: readonly ExpectedAction[],
  ): boolean {
    if (isRight(world, { bundle, source })) return true;
    const key = `${unused.map(({ id }) => id)}|${stateText(world)}`;
    if (seen.has(key) || left-- <= 0) return false;
    seen.add(key);
    return unused.some((action) => {
      const next = world.fork();
      next.respond({ ...action, id: "" });
      return stateText(next) !== stateText(world) &&
        reaches(next, unused.filter((other) => other !== action));
    });
  }

  const world = new Tau3World(bundle, databases).fork();
  if (reaches(world, writes)) return "yes";
  return left <= 0 ? "unknown" : "no";
}

function isRight(
  world: Tau3World,
  { bundle, source }: {
    readonly bundle: WorldSource;
    readonly source: Tau3Task;
  },
): boolean {
  const { rewardBasis = [], assertions } = source.criteria ?? {};
  if (
    rewardBasis.includes("DB") && !world.sameAs(targetWorld(bundle, source))
  ) return false;
  if (!rewardBasis.includes("ENV_ASSERTION")) return true;
  // Assertions may sync the databases, so they run on a fork.
  const looked = world.fork();
  try {
    return (assertions ?? []).every((assertion) => looked.holds(assertion));
  } catch (error) {
    if (error instanceof ToolError || error instanceof RaisedError) {
      return false;
    }
    throw error;
  }
}

function stateText({ databases: { agent, user } }: Tau3World): string {
  return `${agent.changesText()}|${user?.changesText() ?? ""}`;
}
