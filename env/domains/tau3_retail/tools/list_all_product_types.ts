import type { Table } from "../../../database.ts";
import { sortedJson } from "../../../python/json_hash.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { textAt } from "../../../row.ts";
import { retailTool } from "../retail_tool.ts";

/** Lists the names and ids of all products, sorted by name. */
export const listAllProductTypes = retailTool({
  name: "list_all_product_types",
  kind: "read",
  parameters: [],
  // The derived text stays valid because no tool changes a product.
  run: (database) => database.derive("products", printTypes),
});

function printTypes(products: Table): string {
  const types: JsonObject = new Map();
  for (const product of products.values()) {
    types.set(textAt(product, "name"), textAt(product, "product_id"));
  }
  return sortedJson(types);
}
