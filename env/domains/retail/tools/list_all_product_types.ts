import type { Database, Table } from "../../../database.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { compareStrings } from "../../../python/python_repr.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";

/** Lists the names and ids of all products, sorted by name. */
export const listAllProductTypes = defineTool({
  name: "list_all_product_types",
  parameters: [],
  run(database) {
    return database.written("products").length === 0
      ? database.derive("products", printTypesOf)
      : printTypes(currentProducts(database));
  },
});

function printTypesOf(products: Table): string {
  return printTypes(products.values());
}

function printTypes(products: Iterable<JsonObject>): string {
  const idByName = new Map<string, string>();
  for (const product of products) {
    idByName.set(textAt(product, "name"), textAt(product, "product_id"));
  }
  return printPythonJson(
    new Map([...idByName].sort(([a], [b]) => compareStrings(a, b))),
  );
}

function* currentProducts(database: Database): Generator<JsonObject> {
  for (const id of database.ids("products")) {
    const product = database.get("products", id);
    if (product !== undefined) yield product;
  }
}
