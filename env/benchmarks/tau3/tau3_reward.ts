/** Defines the reward of a τ³-bench conversation with its parts and reasons, and converts it to upstream's format. */

import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { ToolKind } from "../../tool.ts";
import { asFloat } from "./tau3_message.ts";
import type {
  EnvironmentAssertion,
  ExpectedAction,
  RewardType,
} from "./tau3_task.ts";

/** The result of an assertion about the world. */
export interface AssertionCheck {
  readonly assertion: EnvironmentAssertion;
  readonly met: boolean;
}

/** The result of checking whether an expected action was taken. */
export interface ActionCheck {
  readonly action: ExpectedAction;
  readonly match: boolean;
  /** The kind of the action's tool; `null` if there is no such tool, or the reward comes from a result file. */
  readonly toolKind: ToolKind | null;
}

/** A judge's verdict on one assertion. */
export interface NlCheck {
  readonly assertion: string;
  /** Whether the assertion holds; `null` if the stand-in judge cannot decide. */
  readonly met: boolean | null;
  readonly justification: string;
}

/** The result of checking whether the agent stated a required piece of information. */
export interface CommunicateCheck {
  readonly info: string;
  readonly met: boolean;
  readonly justification: string;
}

/**
 * Notes on a reward: the note of a single evaluator under the key `note`, or the notes of several evaluators keyed by
 * evaluator. A note is `null` if its evaluator has none.
 */
export type RewardNotes = Readonly<
  Record<string, string | null | { readonly note: string }>
>;

/** A reward. Parts that were not evaluated are `null`. */
export interface Tau3Reward {
  /** The value of the reward; `null` if a part requires a judge's verdict and there is none. */
  readonly value: number | null;
  readonly databaseMatch: boolean | null;
  readonly assertions: readonly AssertionCheck[] | null;
  readonly actions: readonly ActionCheck[] | null;
  readonly nlAssertions: readonly NlCheck[] | null;
  readonly communicate: readonly CommunicateCheck[] | null;
  readonly basis: readonly RewardType[] | null;
  /**
   * The parts that count, in the order in which they are multiplied. A part's value is `null` if it could not be
   * judged.
   */
  readonly breakdown:
    | readonly (readonly [RewardType, number | null])[]
    | null;
  readonly info: RewardNotes | null;
}

/** The default values of all fields of a reward except its value. */
export const NO_PARTS: Omit<Tau3Reward, "value"> = {
  databaseMatch: null,
  assertions: null,
  actions: null,
  nlAssertions: null,
  communicate: null,
  basis: ["DB"],
  breakdown: null,
  info: null,
};

/** Converts a reward to upstream's `reward_info`. */
export function rewardInfoObject(reward: Tau3Reward): JsonObject {
  const { databaseMatch, breakdown } = reward;
  return record({
    reward: floatOrNull(reward.value),
    db_check: databaseMatch === null ? null : record({
      db_match: databaseMatch,
      db_reward: floatOf(databaseMatch),
    }),
    env_assertions: listOrNull(reward.assertions, assertionObject),
    action_checks: listOrNull(reward.actions, actionObject),
    nl_assertions: listOrNull(reward.nlAssertions, (check) =>
      record({
        nl_assertion: check.assertion,
        met: check.met,
        justification: check.justification,
      })),
    communicate_checks: listOrNull(
      reward.communicate,
      ({ info, met, justification }) => record({ info, met, justification }),
    ),
    reward_basis: reward.basis === null ? null : [...reward.basis],
    reward_breakdown: breakdown === null
      ? null
      : new Map(breakdown.map(([type, value]) => [type, floatOrNull(value)])),
    info: reward.info === null ? null : notesObject(reward.info),
  });
}

function assertionObject({ assertion, met }: AssertionCheck): JsonObject {
  return record({
    env_assertion: record({
      env_type: assertion.side,
      func_name: assertion.name,
      arguments: assertion.arguments,
      assert_value: assertion.expected,
      message: assertion.message,
    }),
    met,
    reward: floatOf(met),
  });
}

function actionObject({ action, match, toolKind }: ActionCheck): JsonObject {
  return record({
    action: record({
      action_id: action.id,
      requestor: action.requestor,
      name: action.name,
      arguments: action.arguments,
      info: action.info,
      compare_args: action.compareArgs === null
        ? null
        : [...action.compareArgs],
    }),
    action_match: match,
    action_reward: floatOf(match),
    tool_type: toolKind,
  });
}

function notesObject(notes: RewardNotes): JsonObject {
  return new Map(
    Object.entries(notes).map(([key, note]) => [
      key,
      note === null || typeof note === "string" ? note : record(note),
    ]),
  );
}

function listOrNull<T>(
  list: readonly T[] | null,
  object: (element: T) => JsonObject,
): JsonValue {
  return list === null ? null : list.map(object);
}

function floatOf(met: boolean): JsonValue {
  return asFloat(met ? 1 : 0);
}

function floatOrNull(value: number | null): JsonValue {
  return value === null ? null : asFloat(value);
}

function record(members: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(Object.entries(members));
}
