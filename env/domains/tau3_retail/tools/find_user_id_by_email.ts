import type { Database, Table } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { lower } from "../../../python/python_object.ts";
import { textAt } from "../../../row.ts";
import { retailTool } from "../retail_tool.ts";

/** Finds the id of the first user with the given email address, ignoring case. */
export const findUserIdByEmail = retailTool({
  name: "find_user_id_by_email",
  kind: "read",
  parameters: ["email"],
  run(database: Database, { email }) {
    // The index stays valid because no tool changes an email address.
    const id = database.derive("users", firstByEmail).get(lower(email));
    if (id !== undefined) return id;
    throw new ToolError("User not found");
  },
});

function firstByEmail(users: Table): Map<string, string> {
  const ids = new Map<string, string>();
  for (const [id, user] of users) {
    const email = lower(textAt(user, "email"));
    if (!ids.has(email)) ids.set(email, id);
  }
  return ids;
}
