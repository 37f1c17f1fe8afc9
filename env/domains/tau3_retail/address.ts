/** Builds addresses in the format of τ³-bench's retail tools. */

import { validate } from "../../python/pydantic.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { UserAddress } from "./models.ts";

/** The names of the tools' address parameters. Their order differs from the order of an address's stored fields. */
export const ADDRESS_PARAMETERS = [
  "address1",
  "address2",
  "city",
  "state",
  "country",
  "zip",
] as const;

/**
 * Builds a validated address from its fields.
 * @throws {ToolError} If a field is not a string.
 */
export function addressOf(
  fields: Readonly<Record<typeof ADDRESS_PARAMETERS[number], JsonValue>>,
): JsonObject {
  return validate(UserAddress, new Map(Object.entries(fields)));
}
