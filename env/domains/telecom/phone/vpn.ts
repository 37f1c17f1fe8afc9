/**
 * Connects and disconnects the phone's VPN. As in the original, all connections of an episode share one object with the
 * VPN's details, so after a connection has been slowed down, all later connections are slow too.
 */

import type { Database } from "../../../database.ts";
import { copyValue, type JsonObject } from "../../../python/python_value.ts";
import { device, editDevice, isOn } from "./phone_rows.ts";

/** The name of the table for state that the original keeps outside its database and does not hash. */
export const HIDDEN = "hidden";

/** The id of the row that contains the VPN's default details, and whether the phone currently uses them. */
export const VPN_DEFAULT = "vpn_default";

/** Returns the initial row of the VPN's default details. */
export function newVpnDefault(): JsonObject {
  const details: JsonObject = new Map();
  details.set("server_address", "192.168.1.1");
  details.set("protocol", "OpenVPN");
  details.set("server_performance", "excellent");
  const row: JsonObject = new Map();
  row.set("details", details);
  row.set("in_use", false);
  return row;
}

/**
 * Connects the VPN with its default details.
 * @returns Whether the VPN was disconnected before.
 */
export function connectVpn(database: Database): boolean {
  if (isOn(device(database), "vpn_connected")) return false;
  const phone = editDevice(database);
  const kept = editDefault(database);
  phone.set("vpn_connected", true);
  phone.set("vpn_details", copyValue(kept.get("details") ?? null));
  kept.set("in_use", true);
  return true;
}

/**
 * Disconnects the VPN.
 * @returns Whether the VPN was connected before.
 */
export function disconnectVpn(database: Database): boolean {
  if (!isOn(device(database), "vpn_connected")) return false;
  const phone = editDevice(database);
  phone.set("vpn_connected", false);
  phone.set("vpn_details", null);
  editDefault(database).set("in_use", false);
  return true;
}

/** Makes the VPN slow. Connects it first if necessary. */
export function slowVpnDown(database: Database): void {
  connectVpn(database);
  const kept = editDefault(database);
  const details = editDevice(database).get("vpn_details");
  if (details instanceof Map) details.set("server_performance", "poor");
  const shared = kept.get("details");
  if (isOn(kept, "in_use") && shared instanceof Map) {
    shared.set("server_performance", "poor");
  }
}

function editDefault(database: Database): JsonObject {
  return database.edit(HIDDEN, VPN_DEFAULT) ?? newVpnDefault();
}
