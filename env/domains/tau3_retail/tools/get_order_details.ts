import { orderId } from "../find_rows.ts";
import { retailTool } from "../retail_tool.ts";

/** Returns an order's complete row. */
export const getOrderDetails = retailTool({
  name: "get_order_details",
  kind: "read",
  parameters: ["order_id"],
  run: (database, { order_id }) =>
    database.print("orders", orderId(database, order_id))!,
});
