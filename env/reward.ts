/**
 * Grades episodes. An episode is solved if its database equals the gold state and the agent told the user everything
 * that the task requires. Grading has no side effects.
 */

import type { Database, RowPair } from "./database.ts";
import { printPythonJson } from "./python/python_json.ts";
import type { JsonValue } from "./python/python_value.ts";
import { sameCanonical } from "./state_hash.ts";
import type { Reward, RowDifference, Task } from "./types.ts";

/** The outcome of an episode that is to be graded. */
export interface Outcome {
  /** The final state of the episode. */
  readonly database: Database;
  /** The state in which the episode should end; see {@linkcode goldOf}. */
  readonly gold: Database;
  readonly task: Task;
  /** The agent's messages to the user. */
  readonly messages: readonly string[];
}

/** Grades an outcome by τ-bench's rule: 1 if the database and the outputs are right, else 0. */
export function grade({ database, gold, task, messages }: Outcome): Reward {
  const differences = gold.diff(database).map(describeRow);
  const missingOutputs = task.outputs.filter((output) =>
    !isOutputTold(output, messages)
  );
  const parts = {
    database: differences.length === 0 ? 1 : 0,
    outputs: task.outputs.length === 0
      ? null
      : missingOutputs.length === 0
      ? 1
      : 0,
  } as const;
  const value = parts.database === 1 && parts.outputs !== 0 ? 1 : 0;
  return { value, parts, differences, missingOutputs };
}

/** τ-bench's record of a reward: the outputs or, if the task requires none, the hash of the gold state. */
export type TauBenchRewardInfo =
  | { readonly r_actions: number; readonly gt_data_hash: string }
  | {
    readonly r_outputs: number;
    readonly outputs: Readonly<Record<string, boolean>>;
  };

/** Converts a reward to τ-bench's record. Hashes the gold state if the task requires no outputs. */
export function tauBenchRewardInfo(
  { gold, task }: Pick<Outcome, "gold" | "task">,
  reward: Reward,
): TauBenchRewardInfo {
  if (reward.parts.outputs === null) {
    return { r_actions: reward.parts.database, gt_data_hash: gold.hash() };
  }
  const outputs = Object.fromEntries(
    task.outputs.map((
      output,
    ) => [output, !reward.missingOutputs.includes(output)]),
  );
  return { r_outputs: reward.parts.outputs, outputs };
}

/**
 * Checks whether an output was stated, by τ-bench's rule: a message contains it, ignoring case and any commas in the
 * message.
 */
export function isOutputTold(
  output: string,
  messages: readonly string[],
): boolean {
  const wanted = output.toLowerCase();
  return messages.some((text) =>
    text.toLowerCase().replaceAll(",", "").includes(wanted)
  );
}

type FieldDifference = RowDifference["fields"][number];

/** Describes how a row differs between two states: `left` is the expected value, `right` the actual one. */
export function describeRow(
  { table, id, left, right }: RowPair,
): RowDifference {
  return { table, id, fields: [...compareFields("", left, right)] };
}

/** Yields the innermost fields in which two values differ. A missing value is `undefined`. */
function* compareFields(
  path: string,
  expected: JsonValue | undefined,
  actual: JsonValue | undefined,
): Generator<FieldDifference> {
  if (expected instanceof Map && actual instanceof Map) {
    for (const key of new Set([...expected.keys(), ...actual.keys()])) {
      const inner = path === ""
        ? pathKey(key).replace(/^\./, "")
        : path + pathKey(key);
      yield* compareFields(inner, expected.get(key), actual.get(key));
    }
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      yield* compareFields(`${path}[${i}]`, expected[i], actual[i]);
    }
  } else if (!same(expected, actual)) {
    yield { path, expected: printed(expected), actual: printed(actual) };
  }
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return sameCanonical(a, b);
}

function printed(value: JsonValue | undefined): string | null {
  return value === undefined ? null : printPythonJson(value);
}

/** Formats a key as a part of a path: `.status`, `["#W1"]`. */
function pathKey(key: string): string {
  return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
