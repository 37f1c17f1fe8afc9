/**
 * Replays a recorded episode for diagnosis, and determines the writes of both sides, the reward, and whether the
 * expected state could still be reached.
 */

import type { Databases } from "../../domain.ts";
import type { ReplayedTurns, SidedAction, Turn } from "../../types.ts";
import { episodeReward } from "./episode_reward.ts";
import { evaluateActions } from "./evaluators/action_evaluator.ts";
import { targetWorld } from "./evaluators/environment_evaluator.ts";
import { evaluateUnjudged } from "./evaluators/evaluate_simulation.ts";
import { canFinish } from "./can_finish.ts";
import { Orchestrator } from "./orchestrator.ts";
import { restoreTurns } from "./restore_turns.ts";
import type { Tau3Message } from "./tau3_message.ts";
import type { Tau3Task } from "./tau3_task.ts";
import { startWorld, Tau3World, type WorldSource } from "./tau3_world.ts";

/** The task of a replayed episode, and the data of its world. */
export interface ReplayedTask {
  readonly bundle: WorldSource;
  readonly source: Tau3Task;
  /** Whether the agent acted alone. Default: false. */
  readonly solo?: boolean;
}

/**
 * Replays an episode's turns.
 * @throws {RaisedError} If a turn cannot be replayed.
 */
export function replayTurns(
  turns: readonly Turn[],
  { bundle, source, solo = false }: ReplayedTask,
): ReplayedTurns {
  const orchestrator = new Orchestrator({
    source: bundle,
    task: source,
    solo,
    // The recorded turns end the episode, not the limits.
    maxSteps: Infinity,
    maxErrors: Infinity,
  });
  const snapshot = () =>
    new Tau3World(bundle, orchestrator.world.databases).fork();
  const start = snapshot().databases;
  const writes: ReplayedTurns["writes"][number][] = [];
  let before = start;
  restoreTurns(orchestrator, turns, {
    onMessage(turn) {
      const { databases } = snapshot();
      if (isSame(before, databases)) return;
      before = databases;
      writes.push({ turn, action: lastCall(orchestrator.messages), databases });
    },
  });
  const judged = evaluateUnjudged({
    source: bundle,
    task: source,
    messages: orchestrator.messages,
    terminationReason: solo ? "agent_stop" : "user_stop",
    solo,
  });
  const { databases } = orchestrator.world;
  return {
    start,
    writes,
    end: databases,
    target: targetWorld(bundle, source).databases,
    isCompared: judged.basis?.includes("DB") ?? false,
    reward: episodeReward(judged, { bundle, source, databases }),
    missing: missingOf(orchestrator.messages, { bundle, source }),
    get refused() {
      return refusedOf({ bundle, source });
    },
    canFinish: (from) => canFinish(from, { bundle, source }),
  };
}

function isSame(left: Databases, right: Databases): boolean {
  if (left.agent.diff(right.agent).length > 0) return false;
  return left.user === undefined || right.user === undefined ||
    left.user.diff(right.user).length === 0;
}

/** Returns the most recent call. Replayed messages have one call each. */
function lastCall(messages: readonly Tau3Message[]): SidedAction {
  const asking = messages.findLast((message) => message.role !== "tool");
  const call = asking?.toolCalls?.[0];
  if (call === undefined) throw new TypeError("No tool call has a result");
  return {
    name: call.name,
    arguments: call.arguments,
    ...call.requestor === "user" && { by: "user" as const },
  };
}

function missingOf(
  messages: readonly Tau3Message[],
  { bundle, source }: ReplayedTask,
): SidedAction[] {
  const { actions } = evaluateActions(source, { source: bundle, messages });
  return (actions ?? []).flatMap(({ action, match, toolKind }) =>
    match || toolKind !== "write" ? [] : [{
      name: action.name,
      arguments: action.arguments,
      ...action.requestor === "user" && { by: "user" as const },
    }]
  );
}

function refusedOf({ bundle, source }: ReplayedTask): ReplayedTurns["refused"] {
  const world = startWorld(bundle, source);
  return (source.criteria?.actions ?? []).flatMap((action) => {
    const { content, error } = world.respond({ ...action, id: "" });
    return error ? [{ action, answer: content ?? "" }] : [];
  });
}
