import { defineTool } from "../../../tool.ts";
import { printFound } from "../lookup.ts";

/** Returns the whole row of a user as JSON. */
export const getUserDetails = defineTool({
  name: "get_user_details",
  parameters: ["user_id"],
  run: (database, { user_id }) =>
    printFound(database, { table: "users", noun: "user" }, user_id),
});
