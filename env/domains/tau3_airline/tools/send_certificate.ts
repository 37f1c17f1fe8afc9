import { ToolError } from "../../../errors.ts";
import { validate } from "../../../python/pydantic.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import { objectAt } from "../../../row.ts";
import { editRow } from "../../shared/lookup.ts";
import { airlineTool } from "../airline_tool.ts";
import { userId } from "../find_rows.ts";
import { Certificate } from "../models.ts";

/** The ids of the certificates that can be issued to a user in an episode. */
const IDS = [
  "certificate_3221322",
  "certificate_3221323",
  "certificate_3221324",
] as const;

/** Issues a certificate to a user. */
export const sendCertificate = airlineTool({
  name: "send_certificate",
  kind: "write",
  parameters: ["user_id", "amount"],
  run(database, { user_id, amount }) {
    const owner = userId(database, user_id);
    const user = editRow(database, "users", owner);
    const methods = objectAt(user, "payment_methods");
    const id = IDS.find((id) => !methods.has(id));
    if (id === undefined) throw new ToolError("Too many certificates");
    const certificate = new Map<string, JsonValue>([
      ["id", id],
      ["amount", amount],
      ["source", "certificate"],
    ]);
    methods.set(id, validate(Certificate, certificate));
    return `Certificate ${id} added to user ${owner} with amount ${
      pythonStr(amount)
    }.`;
  },
});
