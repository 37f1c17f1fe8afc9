/** Evaluates a whole conversation: selects the evaluators and combines their parts into one reward. */

import { STAND_IN } from "../../../types.ts";
import { standInReward } from "./stand_in_judge.ts";
import type { Tau3Message } from "../tau3_message.ts";
import { NO_PARTS, type Tau3Reward } from "../tau3_reward.ts";
import type { RewardType, Tau3Task } from "../tau3_task.ts";
import type { WorldSource } from "../tau3_world.ts";
import { evaluateActions } from "./action_evaluator.ts";
import { evaluateCommunication } from "./communicate_evaluator.ts";
import { evaluateEnvironment } from "./environment_evaluator.ts";
import { evaluateNl, type Judge, unjudged } from "./nl_evaluator.ts";

/** The reasons why a conversation ends, with upstream's names. */
export const TERMINATION_REASONS = [
  "user_stop",
  "agent_stop",
  "max_steps",
  "timeout",
  "too_many_errors",
  "agent_error",
  "user_error",
  "infrastructure_error",
  "unexpected_error",
  "context_window_exceeded",
] as const;

/** A reason why a conversation ends. */
export type TerminationReason = typeof TERMINATION_REASONS[number];

/** The types of evaluation, with upstream's names. Scores use `all`. */
export const EVALUATION_TYPES = [
  "all",
  "all_ignore_basis",
  "all_with_nl_assertions",
  "all_with_nl_assertions_ignore_basis",
  "env",
  "action",
  "communicate",
  "nl_assertions",
] as const;

/** A type of evaluation. */
export type EvaluationType = typeof EVALUATION_TYPES[number];

/** A conversation to evaluate, and the settings of the evaluation. */
export interface Simulation {
  readonly source: WorldSource;
  readonly task: Tau3Task;
  readonly messages: readonly Tau3Message[];
  readonly terminationReason: TerminationReason;
  /** The type of evaluation. Default: `all`. */
  readonly type?: EvaluationType;
  /** The judge. Default: none, so assertions in natural language are not judged. */
  readonly judge?: Judge | typeof STAND_IN | undefined;
  /** Whether the agent acted alone. Default: false. */
  readonly solo?: boolean;
  /**
   * Whether the recorded result of every call that writes must equal the call's result in a fresh world. Default: true.
   */
  readonly strict?: boolean;
}

/**
 * Evaluates a conversation.
 * @throws {RaisedError} If the conversation cannot be replayed, or the judge's reply is invalid.
 * @throws {ToolError} If an assertion about the world throws a `ToolError`.
 */
export async function evaluateSimulation(
  simulation: Simulation,
): Promise<Tau3Reward> {
  const { finish, asksJudge } = withoutVerdicts(simulation);
  return finish(asksJudge ? await nlReward(simulation) : null);
}

/**
 * Evaluates a conversation without a judge.
 * @throws {RaisedError} If the conversation cannot be replayed.
 * @throws {ToolError} If an assertion about the world throws a `ToolError`.
 */
export function evaluateUnjudged(
  simulation: Omit<Simulation, "judge">,
): Tau3Reward {
  const { finish, asksJudge } = withoutVerdicts(simulation);
  return finish(asksJudge ? unjudged(simulation.task) : null);
}

/**
 * The result of all evaluators except the judge: whether to ask the judge, and a function that adds the judge's
 * verdicts.
 */
interface Unfinished {
  readonly asksJudge: boolean;
  finish(nl: Tau3Reward | null): Tau3Reward;
}

function withoutVerdicts(simulation: Simulation): Unfinished {
  const { task, terminationReason, type = "all" } = simulation;
  if (terminationReason !== "user_stop" && terminationReason !== "agent_stop") {
    return finished(withoutBasis(
      0,
      `Simulation terminated prematurely. Termination reason: ${terminationReason}`,
    ));
  }
  if (task.criteria === null) {
    return finished(withoutBasis(1, "No evaluation criteria"));
  }
  switch (type) {
    case "env":
      return finished(environmentReward(simulation));
    case "action":
      return finished(evaluateActions(task, simulation));
    case "communicate":
      return finished(evaluateCommunication(task, simulation.messages));
    case "nl_assertions":
      return { asksJudge: true, finish: (nl) => nl ?? unjudged(task) };
    default:
      return allButVerdicts(simulation, type, task.criteria.rewardBasis);
  }
}

function finished(reward: Tau3Reward): Unfinished {
  return { asksJudge: false, finish: () => reward };
}

function withoutBasis(value: number, note: string): Tau3Reward {
  return { ...NO_PARTS, value, basis: null, info: { note } };
}

function environmentReward(simulation: Simulation): Tau3Reward {
  const { solo = false, strict = true } = simulation;
  return evaluateEnvironment({ ...simulation, solo, strict });
}

async function nlReward(
  { source, task, messages, judge }: Simulation,
): Promise<Tau3Reward> {
  if (judge === STAND_IN) return standInReward({ source, task, messages });
  return await evaluateNl(task, { messages, judge });
}

type AllType = Extract<EvaluationType, `all${string}`>;

function allButVerdicts(
  simulation: Simulation,
  type: AllType,
  taskBasis: readonly RewardType[],
): Unfinished {
  const ignoresBasis = type.endsWith("_ignore_basis");
  const env = environmentReward(simulation);
  const action = evaluateActions(simulation.task, simulation);
  const communicate = evaluateCommunication(
    simulation.task,
    simulation.messages,
  );
  const asksJudge = type.startsWith("all_with_nl_assertions") ||
    type === "all" && taskBasis.includes("NL_ASSERTION");
  const basis = ignoresBasis ? everything(asksJudge) : taskBasis;
  function partsWith(nl: Tau3Reward | null) {
    if (ignoresBasis) return [env, action, communicate, nl];
    return [
      basis.includes("DB") || basis.includes("ENV_ASSERTION") ? env : null,
      basis.includes("ACTION") ? action : null,
      basis.includes("NL_ASSERTION") ? nl : null,
      basis.includes("COMMUNICATE") ? communicate : null,
    ];
  }
  return {
    asksJudge,
    finish(nl) {
      const counted = partsWith(nl);
      return {
        value: product(counted),
        databaseMatch: env.databaseMatch,
        assertions: env.assertions,
        actions: action.actions,
        nlAssertions: nl?.nlAssertions ?? null,
        communicate: communicate.communicate,
        basis,
        breakdown: counted.flatMap((part) => part?.breakdown ?? []),
        info: {
          env: noteOf(env),
          nl: noteOf(nl),
          communicate: noteOf(communicate),
          action: noteOf(action),
        },
      };
    },
  };
}

function everything(withNl: boolean): readonly RewardType[] {
  const all: RewardType[] = ["DB", "ENV_ASSERTION", "ACTION", "COMMUNICATE"];
  return withNl ? [...all, "NL_ASSERTION"] : all;
}

/**
 * Returns the product of the parts' values. Returns `null` if a value is unknown, because a task without the judge's
 * verdict is neither passed nor failed.
 */
function product(parts: readonly (Tau3Reward | null)[]): number | null {
  let product = 1;
  for (const part of parts) {
    if (part === null) continue;
    if (part.value === null) return null;
    product *= part.value;
  }
  return product;
}

function noteOf(part: Tau3Reward | null): { readonly note: string } | null {
  const note = part?.info?.note;
  return typeof note === "string" ? { note } : null;
}
