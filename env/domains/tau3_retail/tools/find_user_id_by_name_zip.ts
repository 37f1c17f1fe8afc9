import type { Database, Table } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { isEqual, lower } from "../../../python/python_object.ts";
import { objectAt, textAt } from "../../../row.ts";
import { retailTool } from "../retail_tool.ts";

/** Finds the id of the first user with this full name (ignoring case) and zip code. */
export const findUserIdByNameZip = retailTool({
  name: "find_user_id_by_name_zip",
  kind: "read",
  parameters: ["first_name", "last_name", "zip"],
  run(database: Database, { first_name, last_name, zip }) {
    // The index stays valid because no tool changes a name.
    const namesakes = database.derive("users", groupByFirstName)
      .get(lower(first_name));
    for (const { id, lastName } of namesakes ?? []) {
      if (lastName !== lower(last_name)) continue;
      const address = objectAt(database.get("users", id)!, "address");
      if (isEqual(address.get("zip")!, zip)) return id;
    }
    throw new ToolError("User not found");
  },
});

/** Groups users by their first name in lower case. Users in a group are in table order. */
function groupByFirstName(users: Table) {
  const all = Array.from(users, ([id, user]) => {
    const name = objectAt(user, "name");
    return {
      id,
      firstName: lower(textAt(name, "first_name")),
      lastName: lower(textAt(name, "last_name")),
    };
  });
  return Map.groupBy(all, ({ firstName }) => firstName);
}
