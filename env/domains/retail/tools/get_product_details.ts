import { defineTool } from "../../../tool.ts";
import { printFound } from "../../shared/lookup.ts";

/** Returns a product's complete row as JSON. */
export const getProductDetails = defineTool({
  name: "get_product_details",
  parameters: ["product_id"],
  run: (database, { product_id }) =>
    printFound(database, { table: "products", noun: "product" }, product_id),
});
