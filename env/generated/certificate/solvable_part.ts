/**
 * Part 3: the task can be solved from its instruction alone. The gold is the witness: each of its arguments is in the
 * instruction or in what an earlier one of its reads has shown, no read is missing that policy demands, and none is
 * there that nothing needs.
 */

import type { GoldStep } from "../../audit/gold_replay.ts";
import { isWrite } from "../../audit/finding.ts";
import { GIVEN, leaves, plain } from "../../audit/knowing.ts";
import { Refusal, type Subject, textOf } from "./subject.ts";

/** From where the writes' arguments are known. */
export interface SolvableEvidence {
  /** By argument of a gold write that the instruction does not hold, `0.item_ids[0]`: the read that shows it. */
  readonly shown: Readonly<Record<string, string>>;
  /** Reads in the gold. */
  readonly reads: number;
  /** How many reads follow from each other at most until an argument of a write, or what must be told, is known. */
  readonly chain: number;
}

/** A text in which values can be found, with the number of reads behind it. */
interface Source {
  readonly tool: string;
  readonly text: string;
  /** What can be counted in it. */
  readonly counts: ReadonlySet<string>;
  readonly depth: number;
}

/** Follows the gold from the instruction on. */
export function solvablePart(
  subject: Subject,
): SolvableEvidence | Refusal {
  const { task, steps, dataset } = subject;
  const lacking = lackingDuty(subject);
  if (lacking !== undefined) {
    return refusal("the gold lacks a read that policy demands", lacking);
  }
  const duties = new Set(
    subject.goals.duties(task, dataset.database).map(textOf),
  );
  const sources = [source("the instruction", task.instruction, 0)];
  const shown: Record<string, string> = {};
  let [chain, writes] = [0, 0];
  for (const [i, { action, answer }] of steps.entries()) {
    let depth = 0;
    for (const { path, value } of leaves(action)) {
      const from = find(sources, value);
      if (from === undefined) {
        return refusal(
          "the gold has an argument that nobody can know",
          `${action.name}: ${path} "${value}"`,
        );
      }
      depth = Math.max(depth, from.depth);
      if (isWrite(action) && from.depth > 0) {
        shown[`${writes}.${path}`] = from.tool;
      }
    }
    if (isWrite(action)) {
      chain = Math.max(chain, depth);
      writes++;
      continue;
    }
    const next = source(action.name, answer, depth + 1);
    const later = steps.slice(i + 1);
    const isKnown = steps.slice(0, i).some((step) =>
      textOf(step.action) === textOf(action)
    );
    if (
      isKnown ||
      !duties.has(textOf(action)) &&
        !isNeeded(next, { subject, sources, later })
    ) {
      return refusal("the gold has a read that nothing needs", textOf(action));
    }
    sources.push(next);
  }
  for (const output of task.outputs) {
    const from = findTold(sources, output);
    if (from !== undefined) chain = Math.max(chain, from.depth);
    else if (!plain(dataset.policy).includes(plain(output))) {
      return refusal("an output must be told that nobody can know", output);
    }
  }
  return { shown, reads: sources.length - 1, chain };
}

/** Whether a read shows something for the first time that a later action, an output or a refused call needs. */
function isNeeded(
  next: Source,
  { subject, sources, later }: {
    subject: Subject;
    sources: readonly Source[];
    later: readonly GoldStep[];
  },
): boolean {
  const { goal, goals, task, dataset: { database } } = subject;
  const { userId } = task;
  const refused = goal.requests.filter((request) => request.refused === true)
    .flatMap((request) => goals.meanings({ request, database, userId }));
  const values = [...later.map(({ action }) => action), ...refused]
    .flatMap(leaves).map(({ value }) => value);
  return values.some((value) =>
    find([next], value) === next && find(sources, value) === undefined
  ) || task.outputs.some((output) =>
    findTold([next], output) === next &&
    findTold(sources, output) === undefined
  );
}

function lackingDuty(
  { task, goals, dataset }: Subject,
): string | undefined {
  const made = new Set(task.actions.map(textOf));
  return goals.duties(task, dataset.database).map(textOf)
    .find((key) => !made.has(key));
}

function source(tool: string, text: string, depth: number): Source {
  const counts = new Set(
    text.startsWith("{") ? countsIn(JSON.parse(text)) : [],
  );
  return { tool, text: ` ${plain(text)} `, counts, depth };
}

/** Of how many entries of each list and object in a value something is so: of how many variants that they are available. */
function countsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const entries: unknown[] = Object.values(value);
  const flags = entries.flatMap((entry) =>
    typeof entry === "object" && entry !== null
      ? Object.entries(entry).filter(([, is]) => is === true)
        .map(([name]) => name)
      : []
  );
  const counts = Map.groupBy(flags, (name) => name).values()
    .map(({ length }) => String(length));
  return [...counts, ...entries.flatMap(countsIn)];
}

/** The first source that holds what must be told, or in which it can be counted. */
function findTold(
  sources: readonly Source[],
  output: string,
): Source | undefined {
  return find(sources, output) ??
    sources.find(({ counts }) => counts.has(output));
}

/** The first source that holds a value. */
function find(sources: readonly Source[], value: string): Source | undefined {
  const wanted = plain(value);
  if (GIVEN.has(wanted)) return sources[0];
  // `round_trip` is a tool's spelling of words that people say.
  const said = ENUMERATED.test(wanted) ? wanted.replaceAll("_", " ") : wanted;
  return sources.find(({ text }) =>
    text.includes(` ${wanted} `) || text.includes(` ${said} `)
  );
}

const ENUMERATED = /^[a-z]+(?:_[a-z]+)+$/;

function refusal(reason: string, evidence: string): Refusal {
  return new Refusal("solvable", { reason, evidence });
}
