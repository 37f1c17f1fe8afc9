/**
 * What is wrong with a task, found by running its expected actions: as a conversation, with each step left out, and
 * not at all.
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
import { madeTalk } from "./made_talk.ts";
import { mixedVariants } from "./mixed_variants.ts";
import { textFaults } from "./text_faults.ts";

/** What a task is looked at with. */
export interface FaultContext {
  readonly source: WorldSource;
  readonly task: Tau3Task;
  /** The conversation of the expected actions, with everything said that has to be. */
  readonly talk: readonly Tau3Message[];
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

/** The faults of a task. */
export function tau3Faults(source: WorldSource, task: Tau3Task): TaskFault[] {
  const acts = task.criteria?.actions ?? [];
  const talk = talkOf(source, task, acts);
  return CHECKS.flatMap((check) => check({ source, task, talk }));
}

function talkOf(
  source: WorldSource,
  task: Tau3Task,
  acts: readonly ExpectedAction[],
): Tau3Message[] {
  const say = task.criteria?.communicateInfo ?? [];
  return madeTalk(source, task, { acts, say });
}

/** An action as findings quote it. */
export function quoted({ name, arguments: args }: ExpectedAction): string {
  return `${name} ${printPythonJson(args)}`;
}

/** Expected actions that answer with an error; where no other write succeeds, there is nothing to compare with. */
function goldErrors({ source, task, talk }: FaultContext): TaskFault[] {
  const answers = talk.slice(task.history.length).filter((message) =>
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
      reason: `the expected ${action.name} answers with an error`,
      evidence: `${printPythonJson(action.arguments)}: ${answer.content}`,
      exclude: isWrite(source, action) && !hasWritten,
    }];
  });
}

/** Whether a conversation earns the reward from a judge who agrees with everything. */
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

function failingGold({ source, task, talk }: FaultContext): TaskFault[] {
  const failed = failedParts(evaluate({ source, task, messages: talk }));
  if (failed.length === 0) return [];
  return [{
    check: "failing_gold",
    reason: "the expected actions do not earn the reward",
    evidence: `${failed.join(" and ")} are 0`,
    exclude: true,
  }];
}

/** Tasks that the do-nothing baseline solves; where the judge could still say no, the task is not flagged. */
function idle({ source, task }: FaultContext): TaskFault[] {
  const messages = madeTalk(source, task, { say: [] });
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
      ? "doing nothing earns the reward unless the judge says no"
      : "doing nothing earns the reward",
    evidence: writes.length === 0
      ? "no expected action writes, and nothing that has to be told counts"
      : `its writes change nothing: ${writes.map(quoted).join("; ")}`,
    exclude: !isJudged,
  }];
}

/** Expected databases that the expected conversation does not have: what each side owes the other was not carried over. */
function hiddenState({ source, task, talk }: FaultContext): TaskFault[] {
  const world = startWorld(source, task);
  replayMessages(world, talk, { source, strict: false });
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
      "the expected actions as a conversation do not end in the expected databases",
    evidence: fields.slice(0, 3).join("; "),
    exclude: task.criteria?.rewardBasis.includes("DB") ?? false,
  }];
}

/** Expected writes that can be left out, one at a time, where doing nothing is not enough. */
function spareSteps({ source, task }: FaultContext): TaskFault[] {
  const acts = task.criteria?.actions ?? [];
  if (earns({ source, task }, madeTalk(source, task, { say: [] }))) return [];
  const changing = changingActions(source, task);
  return acts.flatMap((action, i) => {
    if (!isWrite(source, action)) return [];
    const others = talkOf(source, task, acts.filter((_, at) => at !== i));
    if (!earns({ source, task }, others)) return [];
    return [{
      check: "spare_step",
      reason: `the reward is earned without the expected ${action.name}`,
      evidence: `${
        changing.has(action)
          ? "nothing asks for what it changes, or it is changed again"
          : "it changes nothing"
      }: ${quoted(action)}`,
      exclude: false,
    }];
  });
}

/** The expected actions that change something where they stand. */
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

/** What a task lists to be told, done or judged, and what its basis leaves out. */
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
      reason: `${what}, and does not count`,
      evidence: list.join("; "),
      exclude: false,
    }];
  return [
    ...about("something is to be told", told),
    ...about("something is asserted in prose", prose),
    ...about("a call that writes nothing is expected", passing.map(quoted)),
  ];
}

function isWrite(source: WorldSource, action: ExpectedAction): boolean {
  return toolNamed(source, action)?.kind === "write";
}
