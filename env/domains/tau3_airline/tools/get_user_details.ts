import { airlineTool } from "../airline_tool.ts";
import { userId } from "../find_rows.ts";

/** Returns the whole row of a user. */
export const getUserDetails = airlineTool({
  name: "get_user_details",
  kind: "read",
  parameters: ["user_id"],
  run: (database, { user_id }) =>
    database.print("users", userId(database, user_id))!,
});
