/**
 * Part 5: nothing but the right thing scores. Doing nothing, handing over, leaving a write out, making another one or
 * one too many scores 0, and what must be told is not told by accident.
 */

import { isWrite } from "../../audit/finding.ts";
import { looseOutputs } from "../../audit/loose_outputs.ts";
import { callTool, isErrorAnswer } from "../../call_tool.ts";
import type { Database } from "../../database.ts";
import type { Stray } from "../../domain.ts";
import { grade } from "../../reward.ts";
import type { ToolAction } from "../../types.ts";
import { Refusal, type Subject, textOf } from "./subject.ts";

/** Wrong ways that were tried; each scores 0. */
export interface StrictEvidence {
  /** The gold with one write left out, or made otherwise. */
  readonly wrong: number;
  /** The gold and one write more, what is refused among them. */
  readonly tooMuch: number;
}

/** Tries what must not score. */
export function strictPart(subject: Subject): StrictEvidence | Refusal {
  const { dataset, task } = subject;
  if (score(subject, dataset.database, []) === 1) {
    return refusal("doing nothing scores", task.id);
  }
  if (score(subject, transferred(subject), []) === 1) {
    return refusal("handing over scores", task.id);
  }
  const [loose] = looseOutputs(task, dataset);
  if (loose !== undefined) {
    return refusal("an output is told by accident", loose.evidence);
  }
  return untold(subject) ?? tryAll(subject);
}

function tryAll(subject: Subject): StrictEvidence | Refusal {
  const writes = subject.steps.flatMap(({ action }, i) =>
    isWrite(action) ? [i] : []
  );
  const strays = subject.goals.strays(
    subject.task,
    subject.dataset.database,
  );
  const wrong = [
    ...writes.map((insteadOf) => ({ insteadOf, action: undefined })),
    ...strays.filter(({ insteadOf }) => insteadOf !== undefined),
    ...firstWishes(subject),
  ];
  const more = [
    ...strays.filter(({ insteadOf }) => insteadOf === undefined)
      .map(({ action }) => action),
    ...temptations(subject),
  ];
  let tooMuch = 0;
  for (const { insteadOf = 0, action } of wrong) {
    if (scoresWith(subject, insteadOf, action)) {
      return refusal(
        "a wrong write scores",
        action === undefined ? "a gold write is left out" : textOf(action),
      );
    }
  }
  for (const action of more) {
    const database = subject.gold.fork();
    if (isErrorAnswer(callTool(subject.domain, database, action))) continue;
    tooMuch++;
    if (score(subject, database, subject.task.outputs) === 1) {
      return refusal("one write too many scores", textOf(action));
    }
  }
  return tooMuch > 0
    ? { wrong: wrong.length, tooMuch }
    : refusal("no further write could be tried", `${more.length} are errors`);
}

/** Whether the gold scores with another action in the place of one, or with none there. */
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

/** What refused requests would have been. */
function temptations(
  { goal, goals, task: { userId }, dataset: { database } }: Subject,
): ToolAction[] {
  return goal.requests.filter(({ refused }) => refused === true)
    .flatMap((request) => goals.meanings({ request, database, userId }));
}

/** What users wanted at first, in the place of what they want in the end. */
function firstWishes(
  { goal, goals, steps, task: { userId }, dataset: { database } }: Subject,
): Stray[] {
  return goal.requests.filter(({ before }) => before !== undefined).flatMap(
    (request) =>
      goals.meanings({
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
 * A refusal has something to be told, or the write that is wanted then: its positive check, without which silence
 * would do.
 */
function untold({ goal, task }: Subject): Refusal | undefined {
  const { requests } = goal;
  const silent = requests.find(({ refused, outputs = [] }, i) =>
    refused === true && requests[i + 1]?.fallback !== true &&
    !outputs.some((output) => task.outputs.includes(output))
  );
  return silent === undefined
    ? undefined
    : refusal("a refusal has nothing to be told", JSON.stringify(silent));
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
  said: readonly string[],
): number {
  return grade({ database, gold, task, said }).value;
}

function refusal(reason: string, evidence: string): Refusal {
  return new Refusal("strict", { reason, evidence });
}
