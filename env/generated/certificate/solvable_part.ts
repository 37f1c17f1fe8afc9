/**
 * Part 3: the task can be solved from its instruction alone. The gold actions prove it: each argument is in the
 * instruction or in the result of an earlier read, and the gold reads include all reads that the policy requires, but
 * no unnecessary reads.
 */

import type { GoldStep } from "../../audit/gold_replay.ts";
import { isWrite } from "../../audit/finding.ts";
import { GIVEN, leaves, plain } from "../../audit/argument_values.ts";
import { Rejection, type Subject, textOf } from "./subject.ts";

/** The sources of the gold writes' arguments. */
export interface SolvableEvidence {
  /**
   * For each argument of a gold write that is not in the instruction: the name of the tool whose result shows it. The
   * keys consist of the write's index and the argument's path: `0.item_ids[0]`.
   */
  readonly shown: Readonly<Record<string, string>>;
  /** The number of gold actions that are reads. */
  readonly reads: number;
  /** The length of the longest chain of dependent reads that leads to an argument or output. */
  readonly chain: number;
}

/** A text in which the agent can find values: the instruction, or the result of a read. */
interface Source {
  readonly tool: string;
  readonly text: string;
  /** Numbers that the agent can find by counting, such as the number of available variants. */
  readonly counts: ReadonlySet<string>;
  /** The length of the longest chain of dependent reads that ends with this text; 0 for the instruction. */
  readonly depth: number;
}

/**
 * Checks that each gold action can be derived from the instruction and the results of earlier reads, that each output
 * is in one of these or in the policy, and that no gold read is missing or unnecessary.
 */
export function solvablePart(
  subject: Subject,
): SolvableEvidence | Rejection {
  const { task, steps, dataset } = subject;
  const lacking = missingRead(subject);
  if (lacking !== undefined) {
    return rejection(
      "the gold actions lack a read that policy requires",
      lacking,
    );
  }
  const requiredReads = new Set(
    subject.goals.requiredReads(task, dataset.database).map(textOf),
  );
  const sources = [source("the instruction", task.instruction, 0)];
  const shown: Record<string, string> = {};
  let [chain, writes] = [0, 0];
  for (const [i, { action, answer }] of steps.entries()) {
    let depth = 0;
    for (const { path, value } of leaves(action)) {
      const from = find(sources, value);
      if (from === undefined) {
        return rejection(
          "a gold argument cannot be known",
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
      !requiredReads.has(textOf(action)) &&
        !isNeeded(next, { subject, sources, later })
    ) {
      return rejection("a gold read is unnecessary", textOf(action));
    }
    sources.push(next);
  }
  for (const output of task.outputs) {
    const from = findTold(sources, output);
    if (from !== undefined) chain = Math.max(chain, from.depth);
    else if (!plain(dataset.policy).includes(plain(output))) {
      return rejection("an output cannot be known", output);
    }
  }
  return { shown, reads: sources.length - 1, chain };
}

/** Checks whether a read is the first to show a value needed by a later action, an output or a refused call. */
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
    .flatMap((request) => goals.fulfillingCalls({ request, database, userId }));
  const values = [...later.map(({ action }) => action), ...refused]
    .flatMap(leaves).map(({ value }) => value);
  return values.some((value) =>
    find([next], value) === next && find(sources, value) === undefined
  ) || task.outputs.some((output) =>
    findTold([next], output) === next &&
    findTold(sources, output) === undefined
  );
}

function missingRead(
  { task, goals, dataset }: Subject,
): string | undefined {
  const made = new Set(task.actions.map(textOf));
  return goals.requiredReads(task, dataset.database).map(textOf)
    .find((key) => !made.has(key));
}

function source(tool: string, text: string, depth: number): Source {
  const counts = new Set(
    text.startsWith("{") ? countsIn(JSON.parse(text)) : [],
  );
  return { tool, text: ` ${plain(text)} `, counts, depth };
}

/**
 * Returns, for every list and object in a value, the number of entries in which a field such as `available` is true.
 */
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

/** Returns the first source that contains the output, or in which the agent can find the output by counting. */
function findTold(
  sources: readonly Source[],
  output: string,
): Source | undefined {
  return find(sources, output) ??
    sources.find(({ counts }) => counts.has(output));
}

/**
 * Returns the first source that contains a value. A value that agents know without a source is attributed to the first
 * source.
 */
function find(sources: readonly Source[], value: string): Source | undefined {
  const wanted = plain(value);
  if (GIVEN.has(wanted)) return sources[0];
  // Tools spell `round_trip` with an underscore, while people use a space.
  const said = ENUMERATED.test(wanted) ? wanted.replaceAll("_", " ") : wanted;
  return sources.find(({ text }) =>
    text.includes(` ${wanted} `) || text.includes(` ${said} `)
  );
}

const ENUMERATED = /^[a-z]+(?:_[a-z]+)+$/;

function rejection(reason: string, evidence: string): Rejection {
  return new Rejection("solvable", { reason, evidence });
}
