/**
 * Part 5: only the correct outcome scores 1. The do-nothing baseline, a transfer, and a missing, different or
 * additional write score 0, and no output can be matched by accident.
 */

import { isWrite } from "../../audit/finding.ts";
import { looseOutputs } from "../../audit/loose_outputs.ts";
import { callTool, isErrorAnswer } from "../../call_tool.ts";
import type { Database } from "../../database.ts";
import type { WrongWrite } from "../../domain.ts";
import { grade } from "../../reward.ts";
import type { ToolAction } from "../../types.ts";
import { Rejection, type Subject, textOf } from "./subject.ts";

/** The numbers of wrong outcomes that were tried. All wrong outcomes score 0. */
export interface StrictEvidence {
  /** The number of tried outcomes in which one gold write is missing or different. */
  readonly wrong: number;
  /** The number of tried outcomes with one additional write, such as a call that would fulfill a refused request. */
  readonly tooMuch: number;
}

/** Checks that all wrong outcomes score 0, and that each refusal is checked. */
export function strictPart(subject: Subject): StrictEvidence | Rejection {
  const { dataset, task } = subject;
  if (score(subject, dataset.database, []) === 1) {
    return rejection("the do-nothing baseline scores 1", task.id);
  }
  if (score(subject, transferred(subject), []) === 1) {
    return rejection("a transfer to a human scores 1", task.id);
  }
  const [loose] = looseOutputs(task, dataset);
  if (loose !== undefined) {
    return rejection("an output can be matched by accident", loose.evidence);
  }
  return untold(subject) ?? tryAll(subject);
}

function tryAll(subject: Subject): StrictEvidence | Rejection {
  const writes = subject.steps.flatMap(({ action }, i) =>
    isWrite(action) ? [i] : []
  );
  const wrongWrites = subject.goals.wrongWrites(
    subject.task,
    subject.dataset.database,
  );
  const wrong = [
    ...writes.map((insteadOf) => ({ insteadOf, action: undefined })),
    ...wrongWrites.filter(({ insteadOf }) => insteadOf !== undefined),
    ...firstWishes(subject),
  ];
  const more = [
    ...wrongWrites.filter(({ insteadOf }) => insteadOf === undefined)
      .map(({ action }) => action),
    ...temptations(subject),
  ];
  let tooMuch = 0;
  for (const { insteadOf = 0, action } of wrong) {
    if (scoresWith(subject, insteadOf, action)) {
      return rejection(
        "a wrong write scores 1",
        action === undefined ? "a gold write is missing" : textOf(action),
      );
    }
  }
  for (const action of more) {
    const database = subject.gold.fork();
    if (isErrorAnswer(callTool(subject.domain, database, action))) continue;
    tooMuch++;
    if (score(subject, database, subject.task.outputs) === 1) {
      return rejection("an additional write scores 1", textOf(action));
    }
  }
  return tooMuch > 0
    ? { wrong: wrong.length, tooMuch }
    : rejection("every additional write fails", `${more.length} tried`);
}

/** Checks whether the gold actions still score 1 if one write is removed or replaced with another action. */
function scoresWith(
  { dataset, domain, steps, ...subject }: Subject,
  insteadOf: number,
  action: ToolAction | undefined,
): boolean {
  const database = (steps[insteadOf]?.before ?? dataset.database).fork();
  if (action !== undefined) callTool(domain, database, action);
  for (const step of steps.slice(insteadOf + 1)) {
    if (isWrite(step.action)) callTool(domain, database, step.action);
  }
  const all = { dataset, domain, steps, ...subject };
  return score(all, database, subject.task.outputs) === 1;
}

/** Returns the calls that would fulfill refused requests. */
function temptations(
  { goal, goals, task: { userId }, dataset: { database } }: Subject,
): ToolAction[] {
  return goal.requests.filter(({ refused }) => refused === true)
    .flatMap((request) => goals.fulfillingCalls({ request, database, userId }));
}

/**
 * Returns the calls that would fulfill a request as the user first states it, before changing their mind. Each call
 * replaces the first gold action that calls the same tool.
 */
function firstWishes(
  { goal, goals, steps, task: { userId }, dataset: { database } }: Subject,
): WrongWrite[] {
  return goal.requests.filter(({ before }) => before !== undefined).flatMap(
    (request) =>
      goals.fulfillingCalls({
        request: { ...request, ...request.before },
        database,
        userId,
      }).map((action) => ({
        action,
        insteadOf: steps.findIndex((step) => step.action.name === action.name),
      })),
  );
}

/**
 * Rejects a task if nothing checks that the agent refuses a request. This is the case for a refused request that has
 * neither a required output nor a fallback.
 */
function untold({ goal, task }: Subject): Rejection | undefined {
  const { requests } = goal;
  const silent = requests.find(({ refused, outputs = [] }, i) =>
    refused === true && requests[i + 1]?.fallback !== true &&
    !outputs.some((output) => task.outputs.includes(output))
  );
  return silent === undefined ? undefined : rejection(
    "nothing checks that the agent refuses a request",
    JSON.stringify(silent),
  );
}

function transferred({ dataset, domain }: Subject): Database {
  const database = dataset.database.fork();
  for (const name of dataset.terminatingTools) {
    callTool(domain, database, {
      name,
      arguments: new Map([["summary", "none"]]),
    });
  }
  return database;
}

function score(
  { gold, task }: Subject,
  database: Database,
  messages: readonly string[],
): number {
  return grade({ database, gold, task, messages }).value;
}

function rejection(reason: string, evidence: string): Rejection {
  return new Rejection("strict", { reason, evidence });
}
