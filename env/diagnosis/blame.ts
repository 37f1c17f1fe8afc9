/**
 * Decides who is at fault for a reward of 0, using rules that a person can check. If no rule applies, the party is
 * `unknown`.
 */

import { callTool, isErrorAnswer } from "../call_tool.ts";
import { domainOf } from "../domains/registry.ts";
import type {
  Dataset,
  Failure,
  Reward,
  StopReason,
  Task,
  ToolAction,
  UserFinding,
} from "../types.ts";
import type { DecisiveError } from "./decisive.ts";

/**
 * The party at fault. `gold`: the task's expected actions or outputs; `infrastructure`: a failure that is not scored;
 * `unknown`: no rule applies.
 */
export type FaultyParty =
  | "agent"
  | "user"
  | "infrastructure"
  | "gold"
  | "unknown";

/** The party at fault, and the rule that decided it. */
export interface Fault {
  readonly by: FaultyParty;
  /** A short description of the rule: `the user left before the request was settled`. */
  readonly rule: string;
  /** A quote that supports the decision; empty if there is none. */
  readonly evidence: string;
}

/** The facts about an episode that the rules use. */
export interface Evidence {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly reward: Reward | null;
  readonly failure: Failure | null;
  readonly stopReason: StopReason;
  readonly decisive: DecisiveError | null;
  /** The user's mistakes; `null` if the user was not checked for mistakes. */
  readonly findings: readonly UserFinding[] | null;
  /**
   * Expected actions that fail in a fresh world, according to a benchmark's rules. Default: determined by calling the
   * gold actions.
   */
  readonly refused?: readonly RefusedAction[];
}

/** An expected action that returns an error. */
export interface RefusedAction {
  readonly action: ToolAction;
  readonly answer: string;
}

type Rule = (evidence: Evidence) => Fault | undefined;

/** The rules in order. The first rule that applies decides. */
const RULES: readonly Rule[] = [
  infrastructureFailed,
  goldCannotBeTold,
  goldActionFailed,
  userLeft,
  userInvented,
  userWentOn,
  agentWasCutOff,
  agentHandedOver,
  agentAlone,
];

/** Returns the party at fault, or `null` if the reward is 1. */
export function faultOf(evidence: Evidence): Fault | null {
  if (evidence.reward?.value === 1) return null;
  for (const rule of RULES) {
    const fault = rule(evidence);
    if (fault !== undefined) return fault;
  }
  const rule = "no rule applies; read the conversation, or ask a judge";
  return { by: "unknown", rule, evidence: "" };
}

function infrastructureFailed({ failure }: Evidence): Fault | undefined {
  if (failure === null) return undefined;
  if (failure.kind === "not_judged") {
    return {
      by: "unknown",
      rule: "not judged: only a judge can decide whether the episode failed",
      evidence: failure.message,
    };
  }
  return {
    by: "infrastructure",
    rule: `the ${failure.source} failed: ${failure.kind}`,
    evidence: failure.message,
  };
}

/**
 * Blames the gold outputs if an output that was not found contains a comma, since commas are removed from the agent's
 * messages but not from outputs.
 */
function goldCannotBeTold({ reward }: Evidence): Fault | undefined {
  const output = reward?.missingOutputs.find((one) => one.includes(","));
  if (output === undefined) return undefined;
  return {
    by: "gold",
    rule: "an output with a comma can never match a message",
    evidence: output,
  };
}

/**
 * Blames the gold actions if one of them returns an error, the decisive write calls the same tool, and the failing
 * action's arguments include the ids of all differing rows.
 */
function goldActionFailed(evidence: Evidence): Fault | undefined {
  const { decisive, reward } = evidence;
  if (decisive?.kind !== "write" || reward === null) return undefined;
  const failed = failedGold(evidence);
  const meant = failed.find(({ action }) =>
    action.name === decisive.action.name &&
    reward.differences.every(({ id }) => names(action, id))
  );
  if (meant === undefined) return undefined;
  return {
    by: "gold",
    rule: `the gold action ${meant.action.name} returns an error`,
    evidence: meant.answer,
  };
}

function failedGold(
  { dataset, task, refused }: Evidence,
): readonly RefusedAction[] {
  if (refused !== undefined) return refused;
  const domain = domainOf(dataset);
  const database = dataset.database.fork();
  return task.actions.map((action) => ({
    action,
    answer: callTool(domain, database, action),
  })).filter(({ answer }) => isErrorAnswer(answer));
}

function names(action: ToolAction, id: string): boolean {
  return action.arguments.values().some((value) => value === id);
}

function userLeft(
  { decisive, findings, stopReason }: Evidence,
): Fault | undefined {
  const early = findings?.find(({ fault }) => fault === "early_stop");
  if (early === undefined || stopReason !== "user_stop") return undefined;
  if (decisive?.kind === "write") return undefined; // the episode had failed before
  return {
    by: "user",
    rule: "the user left before the request was settled",
    evidence: early.evidence,
  };
}

function userInvented(
  { decisive, findings }: Evidence,
): Fault | undefined {
  const invention = findings?.find(({ fault }) => fault === "invention");
  if (invention === undefined || decisive?.kind !== "write") return undefined;
  const value = decisive.action.arguments.values().find((one) =>
    typeof one === "string" && one !== "" && invention.evidence.includes(one)
  );
  if (value === undefined) return undefined;
  return {
    by: "user",
    rule: "the user invented a value that the agent then wrote",
    evidence: invention.evidence,
  };
}

function userWentOn(
  { findings, stopReason }: Evidence,
): Fault | undefined {
  const endless = findings?.find(({ fault }) => fault === "endless");
  if (endless === undefined || stopReason !== "max_turns") return undefined;
  return {
    by: "user",
    rule: "the user continued after everything was settled",
    evidence: endless.evidence,
  };
}

function agentWasCutOff({ stopReason }: Evidence): Fault | undefined {
  const rules: Partial<Record<StopReason, string>> = {
    parse_errors: "the agent's answers could not be parsed",
    agent_error: "the agent sent a message in a task without a user",
    out_of_tokens: "the agent ran out of tokens",
  };
  const rule = rules[stopReason];
  return rule === undefined ? undefined : { by: "agent", rule, evidence: "" };
}

function agentHandedOver(
  { stopReason, decisive, task, dataset }: Evidence,
): Fault | undefined {
  const isMeant = task.actions.some(({ name }) =>
    dataset.terminatingTools.includes(name)
  );
  if (stopReason !== "transfer" || isMeant || decisive?.kind !== "ending") {
    return undefined;
  }
  return {
    by: "agent",
    rule: "the agent transferred a request that it could have handled",
    evidence: decisive.missing.map(({ name }) => name).join(", "),
  };
}

/** Blames the agent if the simulated user was checked for mistakes and made none. */
function agentAlone({ findings, decisive }: Evidence): Fault | undefined {
  if (findings === null || findings.length > 0) return undefined;
  const rules: Record<DecisiveError["kind"], string> = {
    write: "the agent made a wrong write that could not be undone",
    ending: "the agent did not do what was asked for",
    untold: "the agent did not say what was asked for",
    cut_off: "the agent did everything but did not finish the conversation",
  };
  const evidence = decisive?.kind === "write"
    ? decisive.action.name
    : decisive?.kind === "untold"
    ? decisive.outputs.join(", ")
    : "";
  return { by: "agent", rule: rules[decisive?.kind ?? "ending"], evidence };
}
