/**
 * Operates the phone's switches, SIM card and APN settings, with all side effects, for the user's tools and for task
 * setup.
 */

import type { Database } from "../../../database.ts";
import { copyValue } from "../../../python/python_value.ts";
import { searchNetwork } from "./network.ts";
import { device, editDevice, isOn, toggle } from "./phone_rows.ts";
import { disconnectVpn } from "./vpn.ts";

/**
 * Toggles airplane mode, and searches for a network. Disconnects Wi-Fi and, if airplane mode is turned on, the VPN.
 * @returns The new state.
 */
export function toggleAirplaneMode(database: Database): boolean {
  const isNowOn = toggle(database, "airplane_mode");
  if (isNowOn) {
    dropWifi(database);
    disconnectVpn(database);
  } else {
    const phone = editDevice(database);
    phone.set("network_connection_status", "searching");
    if (isOn(phone, "wifi_enabled")) dropWifi(database);
  }
  searchNetwork(database);
  return isNowOn;
}

/**
 * Toggles mobile data, and searches for a network.
 * @returns The new state.
 */
export function toggleData(database: Database): boolean {
  const isNowOn = toggle(database, "data_enabled");
  searchNetwork(database);
  return isNowOn;
}

/**
 * Toggles data roaming, and searches for a network.
 * @returns The new state.
 */
export function toggleRoaming(database: Database): boolean {
  const isNowOn = toggle(database, "roaming_enabled");
  searchNetwork(database);
  return isNowOn;
}

/**
 * Toggles data saver mode.
 * @returns The new state.
 */
export function toggleDataSaver(database: Database): boolean {
  return toggle(database, "data_saver_mode");
}

/**
 * Toggles Wi-Fi. Turning it off also disconnects it.
 * @returns The new state; `undefined` if airplane mode is on, in which case Wi-Fi cannot be toggled.
 */
export function toggleWifi(database: Database): boolean | undefined {
  if (isOn(device(database), "airplane_mode")) return undefined;
  const isNowOn = toggle(database, "wifi_enabled");
  if (!isNowOn) dropWifi(database);
  return isNowOn;
}

/**
 * Toggles Wi-Fi calling.
 * @returns The new state.
 */
export function toggleWifiCalling(database: Database): boolean {
  return toggle(database, "wifi_calling_enabled");
}

/** Removes or inserts the SIM card, and searches for a network. */
export function setSimMissing(database: Database, isMissing: boolean): void {
  editDevice(database).set("sim_card_missing", isMissing);
  searchNetwork(database);
}

/** The carrier's default APN settings. */
const DEFAULT_APN = new Map<string, string | boolean | null>([
  ["apn_name", "internet"],
  ["reset_at_reboot", false],
  ["mms_apn", "mms"],
  ["mmsc_url", "http://mms.carrier.com/mms/wapenc"],
  ["mms_proxy", null],
  ["mms_port", null],
]);

/** Restores the carrier's default APN settings. */
export function installDefaultApn(database: Database): void {
  editDevice(database).set("active_apn_settings", copyValue(DEFAULT_APN));
}

function dropWifi(database: Database): void {
  const phone = editDevice(database);
  phone.set("wifi_connected", false);
  phone.set("wifi_ssid", null);
  phone.set("wifi_signal_strength", "none");
}
