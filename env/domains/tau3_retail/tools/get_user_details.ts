import { userId } from "../find_rows.ts";
import { retailTool } from "../retail_tool.ts";

/** Returns a user's complete row. */
export const getUserDetails = retailTool({
  name: "get_user_details",
  kind: "read",
  parameters: ["user_id"],
  run: (database, { user_id }) =>
    database.print("users", userId(database, user_id))!,
});
