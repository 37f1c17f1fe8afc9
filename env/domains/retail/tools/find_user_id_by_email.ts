import { ToolError } from "../../../errors.ts";
import { lower } from "../../../python/python_object.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { findUser } from "../user_search.ts";

/** Finds the id of the first user with the given email address, ignoring case. */
export const findUserIdByEmail = defineTool({
  name: "find_user_id_by_email",
  parameters: ["email"],
  run(database, { email }) {
    const id = findUser(database, lower(email), emailOf);
    if (id === undefined) throw new ToolError("user not found");
    return id;
  },
});

function emailOf(user: JsonObject): string {
  return textAt(user, "email").toLowerCase();
}
