/** Builds addresses in the format of τ-bench's retail tools. */

import type { JsonObject, JsonValue } from "../../python/python_value.ts";

/** The names of an address's fields, in the order in which they are stored. */
export const ADDRESS_FIELDS = [
  "address1",
  "address2",
  "city",
  "state",
  "country",
  "zip",
] as const;

/**
 * Returns a call's address arguments as an address object with its fields in the order of {@linkcode ADDRESS_FIELDS}.
 */
export function addressOf(
  fields: Readonly<Record<typeof ADDRESS_FIELDS[number], JsonValue>>,
): JsonObject {
  return new Map(ADDRESS_FIELDS.map((field) => [field, fields[field]]));
}
