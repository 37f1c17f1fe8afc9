/** Infers which user in a world's database a task is about, because τ³-bench's tasks do not name the user. */

import { row, text } from "../../domains/shared/read_row.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { Tau3Task } from "./tau3_task.ts";
import type { WorldSource } from "./tau3_world.ts";

/**
 * Returns the id of the task's user, or an empty string if there is none. If the expected actions name a user or a row
 * that a user owns, that user is returned. Otherwise, the user is one whose id (or, failing that, whose name and zip
 * code) appears in the scenario's instructions.
 */
export function userOf(
  { domain, databases }: WorldSource,
  task: Tau3Task,
): string {
  const { agent } = databases;
  if (!agent.tables.includes("users")) return "";
  const known = (id: JsonValue | undefined) =>
    typeof id === "string" && agent.has("users", id) ? [id] : [];
  const acted = (task.criteria?.actions ?? []).flatMap((
    { arguments: args },
  ) => [
    ...known(args.get("user_id")),
    ...(domain.rows?.owned ?? []).flatMap(({ table, argument }) => {
      const id = args.get(argument);
      return typeof id === "string"
        ? known(agent.get(table, id)?.get("user_id"))
        : [];
    }),
  ]);
  const told = JSON.stringify(task.scenario.instructions);
  const named = (told.match(/\w+/g) ?? []).flatMap(known);
  return acted[0] ?? named[0] ??
    [...agent.ids("users")].find((id) =>
      isDescribed(agent.get("users", id), told)
    ) ?? "";
}

/** Checks whether the text `told` contains a user's name and zip code. */
function isDescribed(user: JsonObject | undefined, told: string): boolean {
  const name = row(user, "name");
  const parts = [
    `${text(name, "first_name")} ${text(name, "last_name")}`,
    text(row(user, "address"), "zip"),
  ];
  return parts.every((part) => part.trim() !== "" && told.includes(part));
}
