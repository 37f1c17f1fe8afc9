/**
 * Grading: an episode is right if it left the database as the gold actions do, and if the agent told the
 * user what the task asks for. Pure: looks at states and texts, and changes nothing.
 */

import type { Database, RowPair } from "./database.ts";
import { printPythonJson } from "./python/python_json.ts";
import type { JsonValue } from "./python/python_value.ts";
import { sameCanonical } from "./state_hash.ts";
import type { Reward, RowDifference, Task } from "./types.ts";

/** What is graded. */
export interface Outcome {
  /** The state in which the episode is. */
  readonly database: Database;
  /** The state in which it should be, see {@linkcode goldOf}. */
  readonly gold: Database;
  readonly task: Task;
  /** Everything that the agent said to the user. */
  readonly said: readonly string[];
}

/** Grades an outcome. */
export function grade({ database, gold, task, said }: Outcome): Reward {
  const differences = gold.diff(database).map(describeRow);
  const missingOutputs = task.outputs.filter((output) =>
    !wasSaid(output, said)
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

/** τ-bench's own account of a reward, which shows the outputs or, where the task asks for none, the state. */
export type TauBenchRewardInfo =
  | { readonly r_actions: number; readonly gt_data_hash: string }
  | {
    readonly r_outputs: number;
    readonly outputs: Readonly<Record<string, boolean>>;
  };

/** A reward as τ-bench records it. Hashes the gold state where it shows it. */
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

/** τ-bench's rule: a substring of something said, whatever the case; commas in what was said do not count. */
export function wasSaid(output: string, said: readonly string[]): boolean {
  const wanted = output.toLowerCase();
  return said.some((text) =>
    text.toLowerCase().replaceAll(",", "").includes(wanted)
  );
}

type FieldDifference = RowDifference["fields"][number];

/** A row that two states disagree about: its left value, such as the gold state's, beside the right one. */
export function describeRow(
  { table, id, left, right }: RowPair,
): RowDifference {
  return { table, id, fields: [...compareFields("", left, right)] };
}

/** The innermost fields in which two values differ; `undefined` where there is none. */
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

/** `.status`, `["#W1"]`. */
function pathKey(key: string): string {
  return /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
