import { printPythonJson } from "../../../python/python_json.ts";
import { defineTool } from "../../../tool.ts";
import { ADDRESS_FIELDS, addressOf } from "../address.ts";
import { editRow } from "../../shared/lookup.ts";
import { findOrder } from "../order_lookup.ts";

/** Changes a pending order's shipping address. The new values are not validated. */
export const modifyPendingOrderAddress = defineTool({
  name: "modify_pending_order_address",
  parameters: ["order_id", ...ADDRESS_FIELDS],
  run(database, { order_id, ...address }) {
    const { id } = findOrder(database, order_id, {
      status: "pending",
      wrongStatus: "non-pending order cannot be modified",
    });
    return printPythonJson(
      editRow(database, "orders", id).set("address", addressOf(address)),
    );
  },
});
