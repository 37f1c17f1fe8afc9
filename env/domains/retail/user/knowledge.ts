/**
 * Reads a user's knowledge of their orders and the store from the initial database: the names of the products that they
 * ordered, and the options of each product.
 */

import type { Database } from "../../../database.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";

/** A user's knowledge of their orders and the store. All strings are in lower case. */
export interface Knowledge {
  /** Names of the products in the user's orders, without duplicates. */
  readonly itemNames: readonly string[];
  /** Returns the values of each option of the product that `words` names, or an empty list for an unknown product. */
  optionsOf(words: string): readonly (readonly string[])[];
}

/** Returns the knowledge of a user. */
export function knowledgeOf(database: Database, userId: string): Knowledge {
  const products = new Map<string, string>();
  for (const orderId of texts(database.get("users", userId), "orders")) {
    for (const item of rows(database.get("orders", orderId), "items")) {
      products.set(text(item, "name").toLowerCase(), text(item, "product_id"));
    }
  }
  return {
    itemNames: [...products.keys()],
    optionsOf(words) {
      const name = words.toLowerCase();
      const known = [...products].find(([product]) => name.includes(product));
      return known === undefined ? [] : optionValues(database, known[1]);
    },
  };
}

function optionValues(database: Database, productId: string): string[][] {
  const values = new Map<string, Set<string>>();
  for (const variant of rows(database.get("products", productId), "variants")) {
    for (const [option, value] of row(variant, "options") ?? []) {
      const known = values.get(option) ?? new Set();
      values.set(option, known.add(String(value).toLowerCase()));
    }
  }
  return [...values.values()].map((known) => [...known]);
}
