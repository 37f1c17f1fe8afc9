import { editRow } from "../../shared/lookup.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { ADDRESS_PARAMETERS, addressOf } from "../address.ts";
import { userId } from "../find_rows.ts";
import { retailTool } from "../retail_tool.ts";

/** Changes a user's default address. */
export const modifyUserAddress = retailTool({
  name: "modify_user_address",
  kind: "write",
  parameters: ["user_id", ...ADDRESS_PARAMETERS],
  run(database, { user_id, ...address }) {
    const user = editRow(database, "users", userId(database, user_id));
    user.set("address", addressOf(address));
    return model(user);
  },
});
