import { printPythonJson } from "../../../python/python_json.ts";
import { defineTool } from "../../../tool.ts";
import { ADDRESS_FIELDS, addressOf } from "../address.ts";
import { editRow, findId } from "../../shared/lookup.ts";

/** Changes a user's default address. The new values are not validated. */
export const modifyUserAddress = defineTool({
  name: "modify_user_address",
  parameters: ["user_id", ...ADDRESS_FIELDS],
  run(database, { user_id, ...address }) {
    const id = findId(database, { table: "users", noun: "user" }, user_id);
    return printPythonJson(
      editRow(database, "users", id).set("address", addressOf(address)),
    );
  },
});
