/**
 * Creates views of database changes. A view contains each row that the episode or the gold actions change, with the
 * initial, actual and expected values of each field that differs.
 */

import type { Database } from "../../env/database.ts";
import type { Databases } from "../../env/domain.ts";
import { createEnvironment } from "../../env/environment.ts";
import { goldOf } from "../../env/gold.ts";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { sameCanonical } from "../../env/state_hash.ts";
import type { JsonValue } from "../../env/python/python_value.ts";
import type {
  Dataset,
  ReplayedTurns,
  Reward,
  Task,
  User,
} from "../../env/types.ts";
import { pretty, type TurnView } from "./conversation_view.ts";
import type { DatabaseView, FieldView, RowView } from "./protocol.ts";

/**
 * Replays the calls of an episode with the run's dataset, and compares the initial, actual and expected states of the
 * database.
 */
export async function replayedView(
  { dataset, task }: { dataset: Dataset; task: Task },
  turns: readonly TurnView[],
): Promise<DatabaseView> {
  const { database: is, writes } = await replay({ dataset, task }, turns);
  const was = dataset.database.fork();
  const rows = rowsOf({ was, is, should: goldOf(dataset, task) });
  return { rows: wrongFirst(rows), isWhole: true, note: null, writes };
}

/**
 * Creates a view of an episode that was replayed according to a benchmark's rules. It compares the initial, actual and
 * expected states of both databases, the agent's and the user's.
 */
export function viewByRules(
  { start, end, target, writes, isCompared }: ReplayedTurns,
): DatabaseView {
  const rows = (["agent", "user"] as const).flatMap((side) => {
    const [was, is, should] = [start[side], end[side], target[side]];
    return was === undefined || is === undefined || should === undefined
      ? []
      : rowsOf({ was, is, should }).map((row) => ({ ...row, side }));
  });
  const byTurn = Map.groupBy(
    writes.map(({ turn, databases }, i) => ({
      turn,
      rows: changedRows(writes[i - 1]?.databases ?? start, databases),
    })),
    ({ turn }) => turn,
  );
  return {
    rows: wrongFirst(rows),
    isWhole: true,
    isCompared,
    note: isCompared
      ? null
      : "The reward does not compare databases. The expected values are those after the expected actions, for comparison.",
    writes: [...byTurn].map(([turn, all]) => ({
      turn,
      rows: [...new Set(all.flatMap(({ rows }) => rows))],
    })),
  };
}

function changedRows(before: Databases, after: Databases): string[] {
  return (["agent", "user"] as const).flatMap((side) => {
    const [was, is] = [before[side], after[side]];
    if (was === undefined || is === undefined) return [];
    return was.diff(is).map(({ table, id }) => `${table} ${id}`);
  });
}

function rowsOf(
  { was, is, should }: Record<"was" | "is" | "should", Database>,
): RowView[] {
  // A task's set-up may have changed a row that the episode leaves unchanged.
  const changed = [...was.diff(is), ...was.diff(should)];
  const keys = new Map(
    changed.map(({ table, id }) => [`${table} ${id}`, { table, id }]),
  );
  return [...keys.values()].map(({ table, id }): RowView => {
    const fields = [...compare("", {
      was: was.get(table, id),
      is: is.get(table, id),
      should: should.get(table, id),
    })];
    const isRight = fields.every(({ verdict }) => verdict === "right");
    return { table, id, isRight, fields };
  });
}

function wrongFirst(rows: readonly RowView[]): RowView[] {
  return rows.toSorted((a, b) => Number(a.isRight) - Number(b.isRight));
}

/** Returns a view that is based only on the record: the rows that differ from the expected rows. */
export function recordedView(
  reward: Reward | null,
  note: string | null,
): DatabaseView {
  const rows = (reward?.differences ?? []).map(({ table, id, fields }) => ({
    table,
    id,
    isRight: false,
    fields: fields.map(({ path, expected, actual }): FieldView => ({
      path,
      is: printed(actual),
      should: printed(expected),
      verdict: "wrong",
    })),
  }));
  return { rows, isWhole: false, note, writes: [] };
}

async function replay(
  { dataset, task }: { dataset: Dataset; task: Task },
  turns: readonly TurnView[],
): Promise<{ database: Database; writes: DatabaseView["writes"] }> {
  const user: User = {
    open: () => Promise.resolve(""),
    reply: () => Promise.resolve(""),
  };
  const environment = createEnvironment({ dataset, task, user });
  await environment.open();
  const writes: { turn: number; rows: string[] }[] = [];
  for (const [turn, { call, name }] of turns.entries()) {
    if (call === null || name === null) continue; // messages change nothing
    const args = call.get("arguments");
    const before = environment.database.fork();
    const { done } = await environment.step({
      type: "tool",
      call: {
        id: String(call.get("id") ?? ""),
        name,
        arguments: args instanceof Map ? args : new Map(),
      },
    });
    const rows = before.diff(environment.database)
      .map(({ table, id }) => `${table} ${id}`);
    if (rows.length > 0) writes.push({ turn, rows });
    if (done) break;
  }
  return { database: environment.database, writes };
}

type Three = Record<"was" | "is" | "should", JsonValue | undefined>;

/** Yields the innermost fields whose values differ. Each field has an initial, an actual and an expected value. */
function* compare(path: string, three: Three): Generator<FieldView> {
  const { was, is, should } = three;
  const verdict = verdictOf(three);
  if (verdict === null) return;
  const values = [was, is, should].filter((value) => value !== undefined);
  if (values.length > 1 && values.every((value) => value instanceof Map)) {
    const keys = new Set(values.flatMap((value) => [...value.keys()]));
    for (const key of keys) {
      yield* compare(
        join(path, key),
        map(three, (value) => (value as JsonObject | undefined)?.get(key)),
      );
    }
  } else if (values.length > 1 && values.every(isListOfRows)) {
    const length = Math.max(...values.map((value) => value.length));
    for (let i = 0; i < length; i++) {
      yield* compare(
        `${path}[${i}]`,
        map(three, (value) => (value as JsonValue[] | undefined)?.[i]),
      );
    }
  } else {
    const text = map(
      three,
      (value) => value === undefined ? null : pretty(value),
    );
    yield { path, was: text.was, is: text.is, should: text.should, verdict };
  }
}

/**
 * Checks whether a value is a list that should be compared item by item. Lists without objects are compared as a whole,
 * because the result is easier to read.
 */
function isListOfRows(value: JsonValue): value is JsonValue[] {
  return Array.isArray(value) && value.some((item) => item instanceof Map);
}

/** Returns the verdict on a field, or `null` if it did not change and was not expected to. */
function verdictOf({ was, is, should }: Three): FieldView["verdict"] | null {
  if (same(is, should)) return same(is, was) ? null : "right";
  if (same(is, was)) return "missing";
  return same(should, was) ? "extra" : "wrong";
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return sameCanonical(a, b);
}

function map<T>(
  { was, is, should }: Three,
  get: (value: JsonValue | undefined) => T,
): Record<"was" | "is" | "should", T> {
  return { was: get(was), is: get(is), should: get(should) };
}

function join(path: string, key: string): string {
  if (path === "") return key;
  return /^\w+$/.test(key)
    ? `${path}.${key}`
    : `${path}[${JSON.stringify(key)}]`;
}

/** Formats a recorded value in the same way as a replayed value. */
function printed(text: string | null): string | null {
  return text === null ? null : pretty(parsePythonJson(text));
}
