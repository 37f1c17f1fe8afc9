/** Replays recorded evaluations, and compares each reward and its parts, or the raised error, with the recording. */

import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { Checker } from "../../tau/replay/mismatch.ts";
import {
  evaluateSimulation,
  type Simulation,
} from "../evaluators/evaluate_simulation.ts";
import type { Judge } from "../evaluators/nl_evaluator.ts";
import type { Tau3Bundle } from "../load_bundle.ts";
import { GREETING } from "../orchestrator.ts";
import { RaisedError } from "../raised.ts";
import type {
  ParticipantMessage,
  Tau3Call,
  Tau3Message,
} from "../tau3_message.ts";
import type { JudgePrompt, Tau3Prompts } from "../tau3_prompts.ts";
import { rewardInfoObject, type Tau3Reward } from "../tau3_reward.ts";
import { criteriaSchema, type Tau3Task } from "../tau3_task.ts";
import { targetWorld } from "../evaluators/environment_evaluator.ts";
import { startWorld } from "../tau3_world.ts";
import { checkCall, checkHashes, outcomeOf } from "./replay_answers.ts";
import type { Tau3RecordOf } from "./tau3_recording.ts";

/** The data and the checker for replaying a record. */
export interface EvaluationContext {
  readonly bundle: Tau3Bundle;
  readonly prompts: Tau3Prompts;
  readonly checker: Checker;
}

/** Replays a task's expected actions and evaluates the recorded conversations that were built from these actions. */
export async function replayGoldRecord(
  record: Tau3RecordOf<"gold">,
  { bundle, prompts, checker }: EvaluationContext,
): Promise<void> {
  const task = bundle.task(record.task_id);
  const world = startWorld(bundle, task);
  checkHashes("init", { expected: record.init, world, checker });
  const actions = task.criteria?.actions ?? [];
  for (const [i, step] of record.steps.entries()) {
    const action = actions[i];
    if (action === undefined) continue;
    checkCall(step, {
      call: { ...action, id: `c${i}` },
      world,
      checker,
      number: i + 1,
    });
  }
  checkHashes("final", { expected: record.final, world, checker });
  if (record.env_assertions !== undefined) {
    const got = (task.criteria?.assertions ?? []).map((assertion) =>
      outcomeOf(() => world.holds(assertion))
    );
    checker.equal("env_assertions", { expected: record.env_assertions, got });
  }
  checkHashes("target", {
    expected: record.target,
    world: targetWorld(bundle, task),
    checker,
  });
  for (const trajectory of record.trajectories) {
    const { judge_met, name } = trajectory;
    const reward = await evaluateSimulation({
      source: bundle,
      task,
      messages: messagesOf(trajectory, { bundle, task }),
      terminationReason: "user_stop",
      judge: { prompts, ask: () => verdicts(task, judge_met) },
    });
    checkReward(`${name}: reward_info`, {
      expected: trajectory.reward_info,
      got: briefly(rewardInfoObject(reward)),
      checker,
    });
  }
}

/** Creates the reply of a judge that gives the same verdict on every assertion. */
export function verdicts({ criteria }: Tau3Task, met: boolean): string {
  const results = (criteria?.nlAssertions ?? []).map((
    expectedOutcome,
  ): JsonValue =>
    new Map<string, JsonValue>([
      ["expectedOutcome", expectedOutcome],
      ["reasoning", "r"],
      ["metExpectation", met],
    ])
  );
  return printPythonJson(new Map([["results", results]]));
}

/** Builds a trajectory's conversation, with one message per call. */
function messagesOf(
  { calls, say }: Tau3RecordOf<"gold">["trajectories"][number],
  { bundle, task }: { bundle: Tau3Bundle; task: Tau3Task },
): Tau3Message[] {
  const world = startWorld(bundle, task);
  const messages: Tau3Message[] = [
    textMessage("assistant", GREETING),
    textMessage("user", "Hello."),
  ];
  for (const [i, entry] of calls.entries()) {
    const made = typeof entry === "number"
      ? task.criteria?.actions?.[entry]
      : entry;
    if (made === undefined) continue;
    const { name, arguments: args, requestor } = made;
    const call: Tau3Call = { id: `c${i}`, name, arguments: args, requestor };
    messages.push({
      role: requestor,
      content: null,
      toolCalls: [call],
      cost: null,
    }, world.respond(call));
  }
  for (const text of say) messages.push(textMessage("assistant", text));
  messages.push(textMessage("user", "###STOP###"));
  return messages;
}

function textMessage(
  role: ParticipantMessage["role"],
  content: string,
): ParticipantMessage {
  return { role, content, toolCalls: null, cost: null };
}

/**
 * Repeats the evaluation of a conversation, and compares the reward or error and the judge's prompts with the
 * recording.
 */
export async function replayEvaluation(
  record: Tau3RecordOf<"evaluators">,
  { bundle, prompts, checker }: EvaluationContext,
): Promise<void> {
  const asked: JudgePrompt[] = [];
  const judge: Judge = {
    prompts,
    ask(prompt) {
      asked.push(prompt);
      return record.judge_reply;
    },
  };
  const outcome = await rewardOrRaised({
    source: bundle,
    task: patchedTask(bundle.task(record.task_id), record.patch),
    messages: record.messages,
    terminationReason: record.termination_reason,
    type: record.evaluation_type,
    strict: record.strict_replay,
    judge,
  }, record.raises);
  checkOutcome(record, { outcome, checker });
  checker.equal("judge_messages", {
    expected: record.judge_messages === undefined
      ? "[]"
      : printPythonJson(record.judge_messages),
    got: printPythonJson(
      asked.map(({ user }): JsonValue =>
        new Map([["role", "user"], ["content", user]])
      ),
    ),
  });
}

/** A reward, or the Python class of the error that was raised. */
export type RewardOutcome =
  | { readonly reward: Tau3Reward }
  | { readonly raised: string };

/** Evaluates a conversation. A `ToolError` has no Python class, so it counts as an error of the recorded class. */
export async function rewardOrRaised(
  simulation: Simulation,
  recorded: string | undefined,
): Promise<RewardOutcome> {
  try {
    return { reward: await evaluateSimulation(simulation) };
  } catch (error) {
    if (error instanceof RaisedError) return { raised: error.pythonClass };
    if (!(error instanceof ToolError)) throw error;
    return { raised: recorded ?? "ToolError" };
  }
}

/** Compares the outcome of an evaluation with the recorded outcome. */
export function checkOutcome(
  { reward_info, raises }: {
    reward_info?: JsonObject | undefined;
    raises?: string | undefined;
  },
  { outcome, checker, brief = false }: {
    outcome: RewardOutcome;
    checker: Checker;
    /** Whether the recording contains checks in short form. Default: false. */
    brief?: boolean;
  },
): void {
  checker.equal("raises", {
    expected: raises,
    got: "raised" in outcome ? outcome.raised : undefined,
  });
  if (!("reward" in outcome) || reward_info === undefined) return;
  const got = rewardInfoObject(outcome.reward);
  checkReward("reward_info", {
    expected: reward_info,
    got: brief ? briefly(got) : got,
    checker,
  });
}

function checkReward(
  what: string,
  { expected, got, checker }: {
    expected: JsonObject;
    got: JsonObject;
    checker: Checker;
  },
): void {
  for (const key of new Set([...expected.keys(), ...got.keys()])) {
    checker.equal(`${what}.${key}`, {
      expected: textOf(expected.get(key)),
      got: textOf(got.get(key)),
    });
  }
}

function textOf(value: JsonValue | undefined): string | undefined {
  return value === undefined ? undefined : printPythonJson(value);
}

/** Converts the checks of actions and assertions to the short form that recordings use: lists instead of objects. */
function briefly(info: JsonObject): JsonObject {
  const brief = new Map(info);
  brief.set(
    "action_checks",
    shortened(info, {
      list: "action_checks",
      keys: ["action_match", "action_reward", "tool_type"],
    }),
  );
  brief.set(
    "env_assertions",
    shortened(info, { list: "env_assertions", keys: ["met", "reward"] }),
  );
  return brief;
}

function shortened(
  info: JsonObject,
  { list, keys }: { list: string; keys: readonly string[] },
): JsonValue {
  const checks = info.get(list) ?? null;
  if (!Array.isArray(checks)) return checks;
  return checks.map((check) =>
    check instanceof Map ? keys.map((key) => check.get(key) ?? null) : check
  );
}

/**
 * Returns a copy of a task with the changes to its criteria that `patch` contains, or the task itself if there are
 * none. A patch may set a field of the criteria, or the criteria to `null`.
 */
function patchedTask(task: Tau3Task, patch: JsonObject | undefined): Tau3Task {
  const change = patch?.get("evaluation_criteria");
  if (change === undefined) return task;
  if (!(change instanceof Map)) return { ...task, criteria: null };
  const parsed = criteriaSchema.parse(change);
  const { criteria } = task;
  if (criteria === null) return { ...task, criteria: parsed };
  return {
    ...task,
    criteria: {
      actions: change.has("actions") ? parsed.actions : criteria.actions,
      assertions: change.has("env_assertions")
        ? parsed.assertions
        : criteria.assertions,
      communicateInfo: change.has("communicate_info")
        ? parsed.communicateInfo
        : criteria.communicateInfo,
      nlAssertions: change.has("nl_assertions")
        ? parsed.nlAssertions
        : criteria.nlAssertions,
      rewardBasis: change.has("reward_basis")
        ? parsed.rewardBasis
        : criteria.rewardBasis,
    },
  };
}
