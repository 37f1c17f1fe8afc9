/**
 * Implements a deterministic judge that uses no model. It checks assertions in natural language against the agent's
 * messages and the final databases. The verdict is `null` if only a reader of the conversation could decide.
 */

import type { Tau3Message } from "../tau3_message.ts";
import { type NlCheck, NO_PARTS, type Tau3Reward } from "../tau3_reward.ts";
import type { Tau3Task } from "../tau3_task.ts";
import { startWorld, type WorldSource } from "../tau3_world.ts";
import { replayMessages } from "../replay_messages.ts";
import { actionVerdict } from "./action_claims.ts";
import { statementVerdict, type Verdict } from "./statement_claims.ts";
import { type Claim, claimsOf } from "./nl_claims.ts";

/** The conversation to judge, and its task. */
export interface StandInQuestion {
  readonly source: WorldSource;
  readonly task: Tau3Task;
  readonly messages: readonly Tau3Message[];
}

/**
 * Returns the judge's verdicts in the order of the assertions.
 * @throws {RaisedError} If the messages cannot be replayed.
 */
export function standInVerdicts(question: StandInQuestion): NlCheck[] {
  const assertions = question.task.criteria?.nlAssertions ?? [];
  const claims = assertions.map(claimsOf);
  const all = claims.flat();
  return assertions.map((assertion, i) => {
    const verdict = combined(
      (claims[i] ?? []).map((claim) => verdictOn(claim, question, all)),
    );
    return {
      assertion,
      met: verdict === "unknown" ? null : verdict === "met",
      justification: reasonOf(verdict, claims[i] ?? []),
    };
  });
}

/**
 * Returns the verdicts as a reward: 0 if at least one assertion does not hold, 1 if all assertions hold, and `null`
 * otherwise.
 */
export function standInReward(question: StandInQuestion): Tau3Reward {
  const nlAssertions = standInVerdicts(question);
  const value = nlAssertions.some(({ met }) => met === false)
    ? 0
    : nlAssertions.some(({ met }) => met === null)
    ? null
    : 1;
  return {
    ...NO_PARTS,
    value,
    nlAssertions,
    breakdown: [["NL_ASSERTION", value]],
    info: {
      note: nlAssertions.length === 0
        ? "No nl_assertions to evaluate"
        : "Judged by the stand-in judge, without a model",
    },
  };
}

function verdictOn(
  claim: Claim,
  { source, task, messages }: StandInQuestion,
  claims: readonly Claim[],
): Verdict {
  if (claim.kind !== "action") {
    return statementVerdict(claim, {
      messages,
      databases: source.databases,
      claims,
    });
  }
  const final = startWorld(source, task);
  // Differing answers are not an error at this point: the database evaluator reports them.
  replayMessages(final, messages, { source, strict: false });
  return actionVerdict(claim.words, { source, task, final });
}

function combined(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.length === 0) return "unknown";
  if (verdicts.includes("not_met")) return "not_met";
  return verdicts.includes("unknown") ? "unknown" : "met";
}

function reasonOf(verdict: Verdict, claims: readonly Claim[]): string {
  if (claims.length === 0) return "The assertion has an unknown form.";
  const isAction = claims[0]?.kind === "action";
  switch (verdict) {
    case "met":
      return isAction
        ? "The final database has the values that the expected actions set."
        : "The agent said it.";
    case "not_met":
      return isAction
        ? "The final database has the initial values."
        : "The agent never said it.";
    case "unknown":
      return isAction
        ? "The final database has neither the initial values nor those that the expected actions set."
        : "The agent said something similar, but not clearly about this.";
  }
}
