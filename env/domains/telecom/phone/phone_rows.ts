/** Reads and writes the two rows of the user's database: the phone and its surroundings. */

import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { typeName } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** The name of the only table in the user's database that is hashed. */
export const PHONE = "phone";

/** Returns the phone's row for reading. */
export function device(database: Database): JsonObject {
  return row(database.get(PHONE, "device"));
}

/** Returns the phone's row for writing. */
export function editDevice(database: Database): JsonObject {
  return row(database.edit(PHONE, "device"));
}

/** Returns the row of the user's surroundings for reading. */
export function surroundings(database: Database): JsonObject {
  return row(database.get(PHONE, "surroundings"));
}

/** Returns the row of the user's surroundings for writing. */
export function editSurroundings(database: Database): JsonObject {
  return row(database.edit(PHONE, "surroundings"));
}

/** Checks whether a field of a row is `true`. */
export function isOn(row: JsonObject, field: string): boolean {
  return row.get(field) === true;
}

/**
 * Toggles a switch of the phone.
 * @returns The new state.
 */
export function toggle(database: Database, field: string): boolean {
  const phone = editDevice(database);
  const isNowOn = !isOn(phone, field);
  phone.set(field, isNowOn);
  return isNowOn;
}

/**
 * Returns the APN settings.
 * @throws {ToolError} If the stored settings are not an object, with the message of Python's `AttributeError` for the
 * attribute `name`.
 */
export function apnSettings(phone: JsonObject, name: string): JsonObject {
  const settings = phone.get("active_apn_settings") ?? null;
  if (settings instanceof Map) return settings;
  throw attributeError(settings, name);
}

/** Returns Python's error for an attribute that the value's type does not have. */
export function attributeError(value: JsonValue, name: string): ToolError {
  return new ToolError(
    `'${typeName(value)}' object has no attribute '${name}'`,
  );
}

function row(found: JsonObject | undefined): JsonObject {
  if (found !== undefined) return found;
  throw new RangeError(
    "The user's database lacks rows that loadTelecom() creates",
  );
}
