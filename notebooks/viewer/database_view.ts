/**
 * What became of the database: each row that the episode or the gold changes, field by field as it was, is and
 * should be.
 */

import type { Database } from "../../env/database.ts";
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
  Reward,
  Task,
  ToolCall,
  User,
  UserMove,
} from "../../env/types.ts";
import { pretty, type TurnView } from "./conversation_view.ts";
import type { DatabaseView, FieldView, RowView } from "./protocol.ts";

/** Replays an episode's calls in its world, and compares all three states. */
export async function replayedView(
  { dataset, task }: { dataset: Dataset; task: Task },
  turns: readonly TurnView[],
): Promise<DatabaseView> {
  const { database: is, writes } = await replay({ dataset, task }, turns);
  const [was, should] = [dataset.database, goldOf(dataset, task)];
  const keys = new Map(
    [...is.changes(), ...should.changes()]
      .map(({ table, id }) => [`${table} ${id}`, { table, id }]),
  );
  const rows = [...keys.values()].map(({ table, id }): RowView => {
    const fields = [...compare("", {
      was: was.get(table, id),
      is: is.get(table, id),
      should: should.get(table, id),
    })];
    const isRight = fields.every(({ verdict }) => verdict === "right");
    return { table, id, isRight, fields };
  });
  rows.sort((a, b) => Number(a.isRight) - Number(b.isRight));
  return { rows, isWhole: true, note: null, writes };
}

/** What the record itself says: the rows that are not as they should be. */
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
  const user = recordedUser(turns);
  const environment = createEnvironment({ dataset, task, user });
  await environment.open();
  const writes: { turn: number; rows: string[] }[] = [];
  for (const [turn, view] of turns.entries()) {
    const { call, name, what } = view;
    // By τ-bench's rules what is said changes nothing; by others the user may act on it.
    if (name === null && dataset.rules === undefined) continue;
    const before = environment.database.fork();
    const { done } = await environment.step(
      call === null || name === null
        ? { type: "respond", content: what }
        : { type: "tool", call: toolCallOf(call) },
    );
    const rows = before.diff(environment.database)
      .map(({ table, id }) => `${table} ${id}`);
    if (rows.length > 0) writes.push({ turn, rows });
    if (done) break;
  }
  return { database: environment.database, writes };
}

/** The user as recorded: what they called, and what they said, turn by turn. */
function recordedUser(turns: readonly TurnView[]): User {
  const moves: UserMove[] = [];
  const add = (calls: readonly JsonObject[] = [], content: string) => {
    for (const made of calls) {
      const call = made.get("call");
      if (!(call instanceof Map)) continue;
      moves.push({ content: "", toolCalls: [toolCallOf(call)] });
    }
    moves.push({
      content: content.trim() === "" ? "…" : content,
      toolCalls: [],
    });
  };
  add(turns[0]?.openingCalls, "");
  for (const { name, userCalls, observation } of turns) {
    if (name === null) add(userCalls, observation);
  }
  return {
    open: () => Promise.resolve(""),
    reply: () => Promise.resolve(""),
    act: () =>
      Promise.resolve(moves.shift() ?? { content: "…", toolCalls: [] }),
  };
}

function toolCallOf(call: JsonObject): ToolCall {
  const args = call.get("arguments");
  return {
    id: String(call.get("id") ?? ""),
    name: String(call.get("name") ?? ""),
    arguments: args instanceof Map ? args : new Map(),
  };
}

type Three = Record<"was" | "is" | "should", JsonValue | undefined>;

/** The innermost fields in which three values are not one. */
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

/** Lists of words or numbers read better whole. */
function isListOfRows(value: JsonValue): value is JsonValue[] {
  return Array.isArray(value) && value.some((item) => item instanceof Map);
}

/** `null` where nothing changed and nothing should have. */
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

/** A value of the record, laid out as replayed ones are. */
function printed(text: string | null): string | null {
  return text === null ? null : pretty(parsePythonJson(text));
}
