/** Addresses as calls give them. */

import { validate } from "../../python/pydantic.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { UserAddress } from "./models.ts";

/** In the order in which tools take them; an address has them in another. */
export const ADDRESS_PARAMETERS = [
  "address1",
  "address2",
  "city",
  "state",
  "country",
  "zip",
] as const;

/** An address by its fields. @throws {ToolError} If one is no text. */
export function addressOf(
  fields: Readonly<Record<typeof ADDRESS_PARAMETERS[number], JsonValue>>,
): JsonObject {
  return validate(UserAddress, new Map(Object.entries(fields)));
}
