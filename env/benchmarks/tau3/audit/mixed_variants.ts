/**
 * Finds items that, after the expected actions, have the id of one variant but the price or options of another variant.
 * In such a task, a tool's bug is part of the expected state, so only an agent that triggers the bug earns the reward.
 */

import { isEqual } from "../../../python/python_object.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { Database, Table } from "../../../database.ts";
import type { TaskFault } from "../../../types.ts";
import { targetWorld } from "../evaluators/environment_evaluator.ts";
import type { FaultContext } from "./task_faults.ts";

/** The fields that a variant determines. */
const OF_VARIANT = ["price", "options"];

/**
 * Finds items that differ from their variant in price or options after the expected actions have added or changed them.
 */
export function mixedVariants({ source, task }: FaultContext): TaskFault[] {
  const { agent } = targetWorld(source, task).databases;
  const variants = variantsOf(source.databases.agent);
  const before = source.databases.agent;
  return before.tables.flatMap((table) =>
    agent.written(table).flatMap((id) => {
      const old = itemsOf(before.get(table, id));
      return itemsOf(agent.get(table, id)).flatMap((item) => {
        const variant = variants.get(String(item.get("item_id")));
        if (variant === undefined || old.some((one) => isEqual(one, item))) {
          return [];
        }
        return OF_VARIANT.filter((field) =>
          !isEqual(item.get(field) ?? null, variant.get(field) ?? null)
        ).map((field): TaskFault => ({
          check: "tool_fault",
          reason:
            `the expected row ${id} of ${table} has an item with the ${field} of another variant`,
          evidence: `${item.get("item_id")}: ${
            textOf(item, field)
          }, but the variant has ${textOf(variant, field)}`,
          exclude: true,
        }));
      });
    })
  );
}

function textOf(row: JsonObject, field: string): string {
  return printPythonJson(row.get(field) ?? null);
}

function itemsOf(row: JsonObject | undefined): JsonObject[] {
  const items = row?.get("items");
  return Array.isArray(items)
    ? items.filter((item): item is JsonObject =>
      item instanceof Map && item.has("item_id") && item.has("price")
    )
    : [];
}

/** Returns the variants in all tables, keyed by item id. */
function variantsOf(database: Database): ReadonlyMap<string, JsonObject> {
  return new Map(
    database.tables.flatMap((table) => [
      ...database.derive(table, variantsIn),
    ]),
  );
}

function variantsIn(rows: Table): ReadonlyMap<string, JsonObject> {
  const variants = new Map<string, JsonObject>();
  for (const row of rows.values()) {
    const own: JsonValue = row.get("variants") ?? null;
    if (!(own instanceof Map)) continue;
    for (const [id, variant] of own) {
      if (variant instanceof Map) variants.set(id, variant);
    }
  }
  return variants;
}
