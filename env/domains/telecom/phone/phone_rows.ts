/** The two rows of the user's database: the phone itself, and where the user is with it. */

import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { typeName } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** The table of the user's database that is hashed. */
export const PHONE = "phone";

/** The phone's row, not to be written to. */
export function device(database: Database): JsonObject {
  return row(database.get(PHONE, "device"));
}

/** The phone's row, to be written to. */
export function editDevice(database: Database): JsonObject {
  return row(database.edit(PHONE, "device"));
}

/** The row of the user's surroundings, not to be written to. */
export function surroundings(database: Database): JsonObject {
  return row(database.get(PHONE, "surroundings"));
}

/** The row of the user's surroundings, to be written to. */
export function editSurroundings(database: Database): JsonObject {
  return row(database.edit(PHONE, "surroundings"));
}

/** Whether a switch of a row is on. */
export function isOn(row: JsonObject, field: string): boolean {
  return row.get(field) === true;
}

/** Turns a switch of the phone over. @returns What it is now. */
export function toggle(database: Database, field: string): boolean {
  const phone = editDevice(database);
  const isNowOn = !isOn(phone, field);
  phone.set(field, isNowOn);
  return isNowOn;
}

/**
 * The APN settings. @throws {ToolError} As Python's `AttributeError` on `name`, where something else was stored as the
 * settings: from then on the phone is broken for good.
 */
export function apnSettings(phone: JsonObject, name: string): JsonObject {
  const settings = phone.get("active_apn_settings") ?? null;
  if (settings instanceof Map) return settings;
  throw attributeError(settings, name);
}

/** What Python says of an attribute that a value of this type does not have. */
export function attributeError(value: JsonValue, name: string): ToolError {
  return new ToolError(
    `'${typeName(value)}' object has no attribute '${name}'`,
  );
}

function row(found: JsonObject | undefined): JsonObject {
  if (found !== undefined) return found;
  throw new RangeError("A user's database needs the rows that load() makes");
}
