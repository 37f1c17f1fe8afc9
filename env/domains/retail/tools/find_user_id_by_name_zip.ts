import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { equalityKey, lower, member } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { objectAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { findUser } from "../user_search.ts";

/** Finds the id of the first user with this full name (ignoring case) and zip code. */
export const findUserIdByNameZip = defineTool({
  name: "find_user_id_by_name_zip",
  parameters: ["first_name", "last_name", "zip"],
  run(database, { first_name, last_name, zip }) {
    const first = lower(first_name);
    // Python evaluates the last name only if the first name matches.
    const last = typeof last_name === "string" || isFirstName(database, first)
      ? lower(last_name)
      : undefined;
    // NaN equals no zip code, not even a stored NaN.
    const id = last === undefined || Number.isNaN(zip)
      ? undefined
      : findUser(database, keyOf(first, last, zip), nameAndZipOf);
    if (id === undefined) throw new ToolError("user not found");
    return id;
  },
});

function nameAndZipOf(user: JsonObject): string {
  return keyOf(
    nameOf(user, "first_name"),
    nameOf(user, "last_name"),
    member(objectAt(user, "address"), "zip"),
  );
}

function nameOf(user: JsonObject, part: string): string {
  return textAt(objectAt(user, "name"), part).toLowerCase();
}

function keyOf(first: string, last: string, zip: JsonValue): string {
  return equalityKey([first, last, zip]);
}

function isFirstName(database: Database, first: string): boolean {
  for (const id of database.ids("users")) {
    const user = database.get("users", id);
    if (user !== undefined && nameOf(user, "first_name") === first) return true;
  }
  return false;
}
