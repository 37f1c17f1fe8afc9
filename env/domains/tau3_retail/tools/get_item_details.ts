import { ToolError } from "../../../errors.ts";
import type { Table } from "../../../database.ts";
import { asKey } from "../../../python/python_object.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { objectAt } from "../../../row.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { retailTool } from "../retail_tool.ts";

/** Returns the variant with the given id. The variant may belong to any product. */
export const getItemDetails = retailTool({
  name: "get_item_details",
  kind: "read",
  parameters: ["item_id"],
  run(database, { item_id }) {
    const id = asKey(item_id);
    // The index stays valid because no tool changes a product.
    const variant = id === undefined
      ? undefined
      : database.derive("products", variantsById).get(id);
    if (variant === undefined) throw new ToolError("Item not found");
    return model(variant);
  },
});

/** Indexes variants by id. If several variants share an id, uses the variant of the first product. */
function variantsById(products: Table): Map<string, JsonObject> {
  const variants = new Map<string, JsonObject>();
  for (const product of products.values()) {
    const own = objectAt(product, "variants");
    for (const id of own.keys()) {
      if (!variants.has(id)) variants.set(id, objectAt(own, id));
    }
  }
  return variants;
}
