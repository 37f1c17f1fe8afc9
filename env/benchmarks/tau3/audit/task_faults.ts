/**
 * Detects faults in a task. Most faults are found by evaluating conversations with all of its expected actions, with
 * each expected write omitted in turn, and with no actions.
 */

import { printPythonJson } from "../../../python/python_json.ts";
import type { TaskFault } from "../../../types.ts";
import { describeRow } from "../../../reward.ts";
import { targetWorld } from "../evaluators/environment_evaluator.ts";
import { evaluateUnjudged } from "../evaluators/evaluate_simulation.ts";
import { replayMessages } from "../replay_messages.ts";
import type { Tau3Message } from "../tau3_message.ts";
import type { Tau3Reward } from "../tau3_reward.ts";
import type { ExpectedAction, Tau3Task } from "../tau3_task.ts";
import { startWorld, toolNamed, type WorldSource } from "../tau3_world.ts";
import { buildConversation } from "./build_conversation.ts";
import { mixedVariants } from "./mixed_variants.ts";
import { textFaults } from "./text_faults.ts";

/** The input for the checks on a task. */
export interface FaultContext {
  readonly source: WorldSource;
  readonly task: Tau3Task;
  /** A conversation with all expected actions and all required information. */
  readonly conversation: readonly Tau3Message[];
}

const CHECKS: readonly ((context: FaultContext) => readonly TaskFault[])[] = [
  goldErrors,
  failingGold,
  idle,
  hiddenState,
  spareSteps,
  uncounted,
  mixedVariants,
  textFaults,
];

/** Finds the faults of a task. */
export function tau3Faults(source: WorldSource, task: Tau3Task): TaskFault[] {
  const acts = task.criteria?.actions ?? [];
  const conversation = conversationOf(source, task, acts);
  return CHECKS.flatMap((check) => check({ source, task, conversation }));
}

function conversationOf(
  source: WorldSource,
  task: Tau3Task,
  acts: readonly ExpectedAction[],
): Tau3Message[] {
  const say = task.criteria?.communicateInfo ?? [];
  return buildConversation(source, task, { acts, say });
}

/** Formats an action for a finding. */
export function quoted({ name, arguments: args }: ExpectedAction): string {
  return `${name} ${printPythonJson(args)}`;
}

/** Finds expected actions that return an error. A failed write is flagged if no other write succeeds. */
function goldErrors({ source, task, conversation }: FaultContext): TaskFault[] {
  const answers = conversation.slice(task.history.length).filter((message) =>
    message.role === "tool"
  );
  const acts = task.criteria?.actions ?? [];
  const isFailed = (i: number) => {
    const answer = answers[i];
    return answer?.role === "tool" && answer.error;
  };
  const hasWritten = acts.some((action, i) =>
    isWrite(source, action) && !isFailed(i)
  );
  return acts.flatMap((action, i) => {
    const answer = answers[i];
    if (answer?.role !== "tool" || !answer.error) return [];
    return [{
      check: "gold_error",
      reason: `the expected ${action.name} returns an error`,
      evidence: `${printPythonJson(action.arguments)}: ${answer.content}`,
      exclude: isWrite(source, action) && !hasWritten,
    }];
  });
}

/** Checks whether a conversation earns the reward if the judge accepts every assertion. */
function earns(
  { source, task }: Pick<FaultContext, "source" | "task">,
  messages: readonly Tau3Message[],
): boolean {
  return failedParts(evaluate({ source, task, messages })).length === 0;
}

function evaluate(
  simulation: {
    readonly source: WorldSource;
    readonly task: Tau3Task;
    readonly messages: readonly Tau3Message[];
  },
): Tau3Reward {
  return evaluateUnjudged({ ...simulation, terminationReason: "user_stop" });
}

function failedParts({ breakdown, value }: Tau3Reward): readonly string[] {
  if (breakdown === null) return value === 0 ? ["everything"] : [];
  return breakdown.filter(([, part]) => part === 0).map(([part]) => part);
}

function failingGold(
  { source, task, conversation }: FaultContext,
): TaskFault[] {
  const failed = failedParts(
    evaluate({ source, task, messages: conversation }),
  );
  if (failed.length === 0) return [];
  return [{
    check: "failing_gold",
    reason: "the expected actions do not earn the reward",
    evidence: `${failed.join(" and ")} ${failed.length === 1 ? "is" : "are"} 0`,
    exclude: true,
  }];
}

/**
 * Reports a task that the do-nothing baseline solves. The task is not flagged if a judge could still reject the
 * outcome.
 */
function idle({ source, task }: FaultContext): TaskFault[] {
  const messages = buildConversation(source, task, { say: [] });
  const { criteria } = task;
  if (criteria === null || !earns({ source, task }, messages)) return [];
  const writes = (criteria.actions ?? []).filter((action) =>
    isWrite(source, action)
  );
  const isJudged = criteria.rewardBasis.includes("NL_ASSERTION") &&
    (criteria.nlAssertions ?? []).length > 0;
  return [{
    check: "idle",
    reason: isJudged
      ? "the do-nothing baseline earns the reward unless the judge says no"
      : "the do-nothing baseline earns the reward",
    evidence: writes.length === 0
      ? "no expected action writes, and no required information counts"
      : `the expected writes change nothing: ${writes.map(quoted).join("; ")}`,
    exclude: !isJudged,
  }];
}

/**
 * Reports a fault if a conversation with all expected actions does not end in the expected databases. This can happen
 * because upstream computes the expected databases without synchronizing them.
 */
function hiddenState(
  { source, task, conversation }: FaultContext,
): TaskFault[] {
  const world = startWorld(source, task);
  replayMessages(world, conversation, { source, strict: false });
  const target = targetWorld(source, task);
  if (world.sameAs(target)) return [];
  const [own, other] = [target.databases, world.databases];
  const pairs = own.agent.diff(other.agent);
  if (own.user !== undefined && other.user !== undefined) {
    pairs.push(...own.user.diff(other.user));
  }
  const fields = pairs.map(describeRow).flatMap(({ table, id, fields }) =>
    fields.map(({ path, expected, actual }) =>
      `${table} ${id} ${path}: ${expected} expected, ${actual} reached`
    )
  );
  return [{
    check: "hidden_state",
    reason:
      "a conversation with the expected actions does not end in the expected databases",
    evidence: fields.slice(0, 3).join("; "),
    exclude: task.criteria?.rewardBasis.includes("DB") ?? false,
  }];
}

/**
 * Finds expected writes without which a conversation still earns the reward. Tasks that the do-nothing baseline solves
 * are skipped.
 */
function spareSteps({ source, task }: FaultContext): TaskFault[] {
  const acts = task.criteria?.actions ?? [];
  if (earns({ source, task }, buildConversation(source, task, { say: [] }))) {
    return [];
  }
  const changing = changingActions(source, task);
  return acts.flatMap((action, i) => {
    if (!isWrite(source, action)) return [];
    const others = conversationOf(
      source,
      task,
      acts.filter((_, at) => at !== i),
    );
    if (!earns({ source, task }, others)) return [];
    return [{
      check: "spare_step",
      reason: `the reward is earned without the expected ${action.name}`,
      evidence: `${
        changing.has(action)
          ? "no check requires the change, or a later action overwrites it"
          : "the call changes nothing"
      }: ${quoted(action)}`,
      exclude: false,
    }];
  });
}

/** Returns the expected actions that change the world when all expected actions are run in order. */
function changingActions(
  source: WorldSource,
  task: Tau3Task,
): ReadonlySet<ExpectedAction> {
  const world = startWorld(source, task);
  return new Set(
    (task.criteria?.actions ?? []).filter((action, i) => {
      const before = world.fork();
      world.respond({ ...action, id: `c${i}` });
      return !world.sameAs(before);
    }),
  );
}

/**
 * Finds required information, assertions in prose, and expected calls to generic tools that do not count towards the
 * reward.
 */
function uncounted({ source, task }: FaultContext): TaskFault[] {
  const { criteria } = task;
  if (criteria === null) return [];
  const { rewardBasis: basis } = criteria;
  const judged = basis.includes("NL_ASSERTION")
    ? (criteria.nlAssertions ?? []).join("\n").toLowerCase().replaceAll(",", "")
    : "";
  const told = basis.includes("COMMUNICATE")
    ? []
    : (criteria.communicateInfo ?? []).filter((info) =>
      !judged.includes(info.toLowerCase())
    );
  const prose = basis.includes("NL_ASSERTION")
    ? []
    : criteria.nlAssertions ?? [];
  const passing = basis.includes("ACTION")
    ? []
    : (criteria.actions ?? []).filter((action) =>
      toolNamed(source, action)?.kind === "generic"
    );
  const about = (what: string, list: readonly string[]): TaskFault[] =>
    list.length === 0 ? [] : [{
      check: "uncounted",
      reason: `${what} but does not count towards the reward`,
      evidence: list.join("; "),
      exclude: false,
    }];
  return [
    ...about("required information is listed", told),
    ...about("an assertion in prose is listed", prose),
    ...about("a call that writes nothing is listed", passing.map(quoted)),
  ];
}

function isWrite(source: WorldSource, action: ExpectedAction): boolean {
  return toolNamed(source, action)?.kind === "write";
}
