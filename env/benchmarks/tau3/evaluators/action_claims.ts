/**
 * Decides whether claimed actions were taken, based on the fields of the final state that the expected actions change.
 */

import { AssertionError } from "node:assert";
import type { RowPair } from "../../../database.ts";
import { InfrastructureError } from "../../../errors.ts";
import { isEqual } from "../../../python/python_object.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { Tau3Task } from "../tau3_task.ts";
import { startWorld, type Tau3World, type WorldSource } from "../tau3_world.ts";
import type { Verdict } from "./statement_claims.ts";
import { targetWorld } from "./environment_evaluator.ts";
import { stem } from "./nl_claims.ts";

/** A field that an expected action changes. */
interface ChangedField {
  readonly table: string;
  readonly id: string;
  readonly field: string;
}

/**
 * Checks whether the expected actions that `words` mentions were taken. An action counts as taken if all fields that it
 * changes have their expected values, and as not taken if all these fields have their initial values. For any other
 * values, it is unknown whether the action was taken.
 * @returns `"not_met"` if at least one action was not taken, `"met"` if all of them were taken, and `"unknown"`
 * otherwise. If `words` mentions no expected action, the result is `"unknown"`.
 */
export function actionVerdict(
  words: ReadonlySet<string>,
  { source, task, final }: {
    readonly source: WorldSource;
    readonly task: Tau3Task;
    readonly final: Tau3World;
  },
): Verdict {
  const changes = changesOf(source, task).filter(({ name }) =>
    isNamed(name, words)
  );
  if (changes.length === 0) return "unknown";
  const start = startWorld(source, task);
  const target = targetWorld(source, task);
  const verdicts = changes.map(({ fields }): Verdict => {
    if (fields.every((field) => agree(field, [final, target]))) return "met";
    return fields.every((field) => agree(field, [final, start]))
      ? "not_met"
      : "unknown";
  });
  if (verdicts.includes("not_met")) return "not_met";
  return verdicts.includes("unknown") ? "unknown" : "met";
}

/**
 * Returns the fields in the agent's database that each expected action changes. Actions without changes are omitted.
 */
function changesOf(source: WorldSource, task: Tau3Task) {
  const world = startWorld(source, task);
  return (task.criteria?.actions ?? []).flatMap((action) => {
    const before = world.fork();
    try {
      world.act(action);
    } catch (error) {
      if (
        error instanceof AssertionError || error instanceof InfrastructureError
      ) throw error;
    }
    const fields = world.databases.agent.diff(before.databases.agent)
      .flatMap(changedFields);
    return fields.length === 0 ? [] : [{ name: action.name, fields }];
  });
}

function changedFields({ table, id, left, right }: RowPair): ChangedField[] {
  const names = new Set([...left?.keys() ?? [], ...right?.keys() ?? []]);
  return [...names].filter((field) => !sameField(field, [left, right]))
    .map((field) => ({ table, id, field }));
}

function agree(
  { table, id, field }: ChangedField,
  worlds: readonly [Tau3World, Tau3World],
): boolean {
  const [left, right] = worlds.map(({ databases }) =>
    databases.agent.get(table, id)
  );
  return sameField(field, [left, right]);
}

function sameField(
  field: string,
  [left, right]: readonly [JsonObject | undefined, JsonObject | undefined],
): boolean {
  return isEqual(left?.get(field) ?? null, right?.get(field) ?? null);
}

/** Synonyms of verbs in tool names. */
const SYNONYMS: Readonly<Record<string, readonly string[]>> = {
  modify: ["change", "update"],
};

/** The objects of actions. If an assertion mentions an object, tools for other objects do not match. */
const OBJECTS = ["item", "addres", "payment"];

const OWNERS = ["user", "order"];

/**
 * Checks whether `words` mentions a tool: it contains the verb of the tool's name or a synonym, and no object or owner
 * that contradicts the name.
 */
function isNamed(name: string, words: ReadonlySet<string>): boolean {
  const parts = name.split("_").map(stem);
  const verb = parts[0] ?? "";
  if (![verb, ...SYNONYMS[verb] ?? []].some((word) => words.has(word))) {
    return false;
  }
  return [OBJECTS, OWNERS].every((kinds) => {
    const meant = kinds.filter((kind) => words.has(kind));
    const own = parts.filter((part) => kinds.includes(part));
    return meant.length === 0 || own.length === 0 ||
      own.some((part) => meant.includes(part));
  });
}
