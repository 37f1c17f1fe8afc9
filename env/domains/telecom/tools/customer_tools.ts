/** The agent's tools that find customers, or any row by its id. */

import { ToolError } from "../../../errors.ts";
import { isEqual, lower } from "../../../python/python_object.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { model, type ModelObject } from "../../shared/toolkit/result_text.ts";
import { customerByPhone, find, type TableName } from "../account/lookups.ts";
import { attributeError } from "../phone/phone_rows.ts";
import { agentTool } from "./agent_tool.ts";

export const getCustomerByPhone = agentTool({
  name: "get_customer_by_phone",
  kind: "read",
  parameters: ["phone_number"],
  run: (database, { phone_number }) =>
    model(customerByPhone(database, phone_number)),
});

export const getCustomerById = agentTool({
  name: "get_customer_by_id",
  kind: "read",
  parameters: ["customer_id"],
  run: (database, { customer_id }) =>
    model(find(database, "customers", customer_id)),
});

export const getCustomerByName = agentTool({
  name: "get_customer_by_name",
  kind: "read",
  parameters: ["full_name", "dob"],
  run(database, { full_name, dob }) {
    const found: ModelObject[] = [];
    for (const id of database.ids("customers")) {
      const customer = find(database, "customers", id);
      const isNamed =
        lower(customer.get("full_name") ?? null) === lower(full_name);
      const born = customer.get("date_of_birth") ?? null;
      if (isNamed && isEqual(born, dob)) found.push(model(customer));
    }
    return found;
  },
});

/** The tables, keyed by the first letter of their rows' ids. */
const BY_LETTER: ReadonlyMap<string, TableName> = new Map([
  ["L", "lines"],
  ["D", "devices"],
  ["B", "bills"],
  ["C", "customers"],
  ["P", "plans"],
]);

export const getDetailsById = agentTool({
  name: "get_details_by_id",
  kind: "read",
  parameters: ["id"],
  run(database, { id }) {
    if (typeof id !== "string") throw attributeError(id, "startswith");
    const table = BY_LETTER.get(id.charAt(0));
    if (table !== undefined) return model(find(database, table, id));
    throw new ToolError(`Unknown ID format or type: ${pythonStr(id)}`);
  },
});
