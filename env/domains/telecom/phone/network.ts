/** Models the phone's connection: the search for a network, and the services that depend on it. */

import type { Database } from "../../../database.ts";
import { roundDouble2 } from "../../../python/python_number.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import {
  apnSettings,
  device,
  editDevice,
  isOn,
  surroundings,
} from "./phone_rows.ts";

/** Returns the SIM card's status. A removed card is `missing` even if it is locked. */
export function simStatus(phone: JsonObject): string {
  if (isOn(phone, "sim_card_missing")) return "missing";
  return String(phone.get("sim_card_status"));
}

/**
 * Searches for a network and updates the phone's connection. Airplane mode, mobile data and data roaming trigger a
 * search when toggled.
 * @throws {ToolError} If the stored APN settings are not an object.
 */
export function searchNetwork(database: Database): void {
  const phone = editDevice(database);
  const around = surroundings(database);
  if (simStatus(phone) === "active") connect(phone, around);
  else disconnect(phone);
  if (isOn(phone, "airplane_mode")) disconnect(phone);
  if (apnSettings(phone, "apn_name").get("apn_name") === "broken") {
    disconnect(phone);
  }
  if (!isOn(around, "line_active")) disconnect(phone);
}

/**
 * The technology to which a network mode preference restricts the phone. A stored preference may be invalid; the phone
 * then uses 4G.
 */
const ONLY: Readonly<Record<string, string>> = {
  "3g_only": "3G",
  "2g_only": "2G",
};

function connect(phone: JsonObject, around: JsonObject): void {
  const preference = phone.get("network_mode_preference");
  const only = typeof preference === "string" ? ONLY[preference] : undefined;
  const prefers5G = preference === "4g_5g_preferred" &&
    signalOf(around, "5G") !== "none";
  const technology = only ?? (prefers5G ? "5G" : "4G");
  setConnection(phone, {
    status: "connected",
    technology,
    signal: signalOf(around, technology),
  });
}

function disconnect(phone: JsonObject): void {
  setConnection(phone, {
    status: "no_service",
    technology: "none",
    signal: "none",
  });
}

function setConnection(
  phone: JsonObject,
  { status, technology, signal }: {
    readonly status: string;
    readonly technology: string;
    readonly signal: string;
  },
): void {
  phone.set("network_connection_status", status);
  phone.set("network_technology_connected", technology);
  phone.set("network_signal_strength", signal);
}

/** Returns the signal strength of a technology at the user's location, or `none` if it is not stored. */
function signalOf(around: JsonObject, technology: string): string {
  const signals = around.get("signal_strength");
  const signal = signals instanceof Map ? signals.get(technology) : undefined;
  return typeof signal === "string" ? signal : "none";
}

/** Checks whether mobile data works. */
export function hasMobileData(database: Database): boolean {
  const phone = device(database);
  const around = surroundings(database);
  if (isOn(phone, "airplane_mode")) return false;
  if (phone.get("network_signal_strength") === "none") return false;
  if (phone.get("network_connection_status") === "no_service") return false;
  const mayRoam = isOn(phone, "roaming_enabled") &&
    isOn(around, "roaming_allowed");
  if (isOn(around, "is_abroad") && !mayRoam) return false;
  return isOn(phone, "data_enabled") &&
    !isOn(around, "mobile_data_usage_exceeded");
}

/** The lowest and highest speed of each technology, in Mbps. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  "2G": [0.1, 0.4],
  "3G": [1, 5],
  "4G": [10, 100],
  "5G": [50, 500],
};

/** The factor by which the speed is multiplied at each signal strength. */
const SIGNAL_FACTORS: Readonly<Record<string, number>> = {
  poor: 0.2,
  fair: 0.5,
  good: 0.8,
  excellent: 1,
};

/** The lowest speed of each rating, in Mbps, from fastest to slowest. Lower speeds are rated `Very Poor`. */
const SPEED_WORDS = [
  [100, "Excellent"],
  [25, "Good"],
  [5, "Fair"],
  [1, "Poor"],
] as const;

/** A speed and its rating, as shown by a speed test. */
export interface Speed {
  readonly mbps: number;
  readonly word: string;
}

/**
 * Returns the download speed, or `undefined` if mobile data does not work. The multiplications are in the original's
 * order, because the order affects the last digits.
 */
export function speedOf(database: Database): Speed | undefined {
  if (!hasMobileData(database)) return undefined;
  const phone = device(database);
  const [low, high] =
    RANGES[String(phone.get("network_technology_connected"))] ??
      [0, 0];
  const signal = SIGNAL_FACTORS[String(phone.get("network_signal_strength"))] ??
    0;
  const mbps = roundDouble2((low + high) / 2 * signal * slowdown(phone));
  const [, word] = SPEED_WORDS.find(([from]) => mbps >= from) ??
    [0, "Very Poor"];
  return { mbps, word };
}

function slowdown(phone: JsonObject): number {
  const vpn = phone.get("vpn_details");
  const isSlow = isOn(phone, "vpn_connected") && vpn instanceof Map &&
    vpn.get("server_performance") === "poor";
  return (isSlow ? 0.1 : 1) * (isOn(phone, "data_saver_mode") ? 0.2 : 1);
}

/**
 * Checks whether the messaging app can send pictures.
 * @throws {ToolError} If the result depends on the APN settings, but the stored settings are not an object.
 */
export function canSendMms(database: Database): boolean {
  if (!hasMobileData(database)) return false;
  const phone = device(database);
  if (phone.get("network_technology_connected") === "2G") return false;
  // The phone supports MMS over Wi-Fi, but the carrier does not.
  if (
    isOn(phone, "wifi_calling_enabled") &&
    isOn(phone, "wifi_calling_mms_over_wifi")
  ) return false;
  if (apnSettings(phone, "mmsc_url").get("mmsc_url") === null) return false;
  const permissions = permissionsOf(phone, "messaging");
  return permissions !== undefined && isOn(permissions, "storage") &&
    isOn(permissions, "sms");
}

/** Returns an app's permissions, or `undefined` if the app does not exist. */
export function permissionsOf(
  phone: JsonObject,
  app: string,
): JsonObject | undefined {
  const apps = phone.get("app_statuses");
  const status = apps instanceof Map ? apps.get(app) : undefined;
  const permissions = status instanceof Map
    ? status.get("permissions")
    : undefined;
  return permissions instanceof Map ? permissions : undefined;
}
