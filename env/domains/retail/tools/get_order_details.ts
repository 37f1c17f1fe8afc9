import { defineTool } from "../../../tool.ts";
import { printFound } from "../../shared/lookup.ts";

/** Returns an order's complete row as JSON. */
export const getOrderDetails = defineTool({
  name: "get_order_details",
  parameters: ["order_id"],
  run: (database, { order_id }) =>
    printFound(database, { table: "orders", noun: "order" }, order_id),
});
