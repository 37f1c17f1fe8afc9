/**
 * Evaluates the state of the world: compares both databases with their expected states, and checks assertions about
 * them.
 */

import { AssertionError } from "node:assert";
import { InfrastructureError } from "../../../errors.ts";
import { replayMessages } from "../replay_messages.ts";
import type { Tau3Message } from "../tau3_message.ts";
import {
  type AssertionCheck,
  NO_PARTS,
  type Tau3Reward,
} from "../tau3_reward.ts";
import type { RewardType, Tau3Task } from "../tau3_task.ts";
import { startWorld, type Tau3World, type WorldSource } from "../tau3_world.ts";

/** The input of {@linkcode evaluateEnvironment}. */
export interface EnvironmentEvaluation {
  readonly source: WorldSource;
  readonly task: Tau3Task;
  readonly messages: readonly Tau3Message[];
  /** Whether the agent acted alone. */
  readonly solo: boolean;
  /** Whether the recorded result of every call that writes must equal the call's result in a fresh world. */
  readonly strict: boolean;
}

/**
 * Replays a conversation in a fresh world, compares this world with the expected world, and checks the task's
 * assertions.
 * @throws {RaisedError} If the messages cannot be replayed.
 * @throws {ToolError} If an assertion throws a `ToolError`.
 */
export function evaluateEnvironment(
  { source, task, messages, solo, strict }: EnvironmentEvaluation,
): Tau3Reward {
  const { criteria } = task;
  if (criteria === null || isUnchecked(criteria)) {
    return {
      ...NO_PARTS,
      value: 1,
      databaseMatch: true,
      info: { note: "No expected actions or env assertions" },
    };
  }
  const predicted = startWorld(source, task, { solo });
  replayMessages(predicted, messages, { source, solo, strict });
  const databaseMatch = predicted.sameAs(targetWorld(source, task));
  const assertions = (criteria.assertions ?? []).map((
    assertion,
  ): AssertionCheck => ({ assertion, met: predicted.holds(assertion) }));
  const breakdown: [RewardType, number][] = [];
  const { rewardBasis } = criteria;
  if (rewardBasis.includes("DB")) {
    breakdown.push(["DB", databaseMatch ? 1 : 0]);
  }
  if (rewardBasis.includes("ENV_ASSERTION")) {
    breakdown.push([
      "ENV_ASSERTION",
      assertions.every(({ met }) => met) ? 1 : 0,
    ]);
  }
  return {
    ...NO_PARTS,
    value: breakdown.every(([, part]) => part === 1) ? 1 : 0,
    databaseMatch,
    assertions,
    basis: rewardBasis,
    breakdown,
  };
}

function isUnchecked(
  { actions, assertions }: NonNullable<Tau3Task["criteria"]>,
): boolean {
  return actions === null && assertions === null;
}

/**
 * Returns the world after the expected actions. As in upstream, errors of these actions are ignored, and the databases
 * are not synchronized. The world is cached and shared, so callers must not change it.
 */
export function targetWorld(source: WorldSource, task: Tau3Task): Tau3World {
  const kept = targets.get(source.databases)?.get(task);
  if (kept !== undefined) return kept;
  const world = startWorld(source, task);
  replayMessages(world, task.history, { source });
  for (const action of task.criteria?.actions ?? []) {
    try {
      world.act(action);
    } catch (error) {
      if (isOwnFault(error)) throw error;
    }
  }
  // A fork has no rows of its own, so the cached texts of rows remain valid.
  const target = world.fork();
  const ofSource = targets.get(source.databases) ?? new WeakMap();
  targets.set(source.databases, ofSource.set(task, target));
  return target;
}

const targets = new WeakMap<object, WeakMap<Tau3Task, Tau3World>>();

function isOwnFault(error: unknown): boolean {
  return error instanceof AssertionError ||
    error instanceof InfrastructureError;
}
