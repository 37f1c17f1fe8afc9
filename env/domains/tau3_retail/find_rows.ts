/** Looks up the rows that a call refers to, with τ³-bench's error messages. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { asKey } from "../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectAt, textAt } from "../../row.ts";
import { editRow, findId } from "../shared/lookup.ts";

/**
 * Returns the id if the order exists.
 * @throws {ToolError} If the order does not exist: `Order not found`.
 */
export function orderId(database: Database, id: JsonValue): string {
  return findId(database, { table: "orders", noun: "Order" }, id);
}

/**
 * Returns the id if the user exists.
 * @throws {ToolError} If the user does not exist: `User not found`.
 */
export function userId(database: Database, id: JsonValue): string {
  return findId(database, { table: "users", noun: "User" }, id);
}

/**
 * Returns the id if the product exists.
 * @throws {ToolError} If the product does not exist: `Product not found`.
 */
export function productId(database: Database, id: JsonValue): string {
  return findId(database, { table: "products", noun: "Product" }, id);
}

/**
 * Returns the order that a call refers to, for writing.
 * @throws {ToolError} If the order does not exist or, with the message `refusal`, if `isRight` rejects its status.
 */
export function editOrder(
  database: Database,
  id: JsonValue,
  { isRight, refusal }: {
    isRight: (status: string) => boolean;
    refusal: string;
  },
): JsonObject {
  const key = orderId(database, id);
  const order = database.get("orders", key)!;
  if (!isRight(textAt(order, "status"))) throw new ToolError(refusal);
  return editRow(database, "orders", key);
}

/**
 * Finds a variant of a product.
 * @throws {ToolError} If the product or the variant does not exist.
 */
export function variantOf(
  database: Database,
  product: string,
  id: JsonValue,
): JsonObject {
  const row = database.get("products", productId(database, product))!;
  const variants = objectAt(row, "variants");
  const key = asKey(id);
  if (key !== undefined && variants.has(key)) return objectAt(variants, key);
  throw new ToolError("Variant not found");
}
