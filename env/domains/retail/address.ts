/** Addresses as τ-bench's tools take them. */

import type { JsonObject, JsonValue } from "../../python/python_value.ts";

/** The fields of an address, in the order in which they are stored. */
export const ADDRESS_FIELDS = [
  "address1",
  "address2",
  "city",
  "state",
  "country",
  "zip",
] as const;

/** The address of a call's arguments, as it is stored. */
export function addressOf(
  fields: Readonly<Record<typeof ADDRESS_FIELDS[number], JsonValue>>,
): JsonObject {
  return new Map(ADDRESS_FIELDS.map((field) => [field, fields[field]]));
}
