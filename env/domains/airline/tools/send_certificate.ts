import { ToolError } from "../../../errors.ts";
import { editRow, findId } from "../../shared/lookup.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { copyValue, type JsonValue } from "../../../python/python_value.ts";
import { objectAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";

/** The ids of the certificates that can be issued to a user in an episode. */
const IDS = [3221322, 3221323, 3221324].map((id) => `certificate_${id}`);

/** Issues a certificate to a user. */
export const sendCertificate = defineTool({
  name: "send_certificate",
  parameters: ["user_id", "amount"],
  run(database, { user_id, amount }) {
    const userId = findId(database, { table: "users", noun: "user" }, user_id);
    const user = database.get("users", userId) ?? new Map();
    const methods = objectAt(user, "payment_methods");
    const id = IDS.find((id) => !methods.has(id));
    if (id === undefined) {
      // The original returns `None` here, which breaks its conversation.
      throw new ToolError("no more certificates can be given to this user");
    }
    objectAt(editRow(database, "users", userId), "payment_methods").set(
      id,
      new Map<string, JsonValue>([
        ["source", "certificate"],
        ["amount", copyValue(amount)],
        ["id", id],
      ]),
    );
    return `Certificate ${id} added to user ${userId} with amount ${
      pythonStr(amount)
    }.`;
  },
});
