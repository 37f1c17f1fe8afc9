import { productId } from "../find_rows.ts";
import { retailTool } from "../retail_tool.ts";

/** Returns a product's complete row. */
export const getProductDetails = retailTool({
  name: "get_product_details",
  kind: "read",
  parameters: ["product_id"],
  run: (database, { product_id }) =>
    database.print("products", productId(database, product_id))!,
});
