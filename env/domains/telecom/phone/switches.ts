/** What turning the phone's switches does, whether the user turns them or a task sets them up. */

import type { Database } from "../../../database.ts";
import { copyValue } from "../../../python/python_value.ts";
import { searchNetwork } from "./network.ts";
import { device, editDevice, isOn, toggle } from "./phone_rows.ts";
import { disconnectVpn } from "./vpn.ts";

/** Turns airplane mode over. @returns What it is now. */
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

/** Turns mobile data over. @returns What it is now. */
export function toggleData(database: Database): boolean {
  const isNowOn = toggle(database, "data_enabled");
  searchNetwork(database);
  return isNowOn;
}

/** Turns data roaming over. @returns What it is now. */
export function toggleRoaming(database: Database): boolean {
  const isNowOn = toggle(database, "roaming_enabled");
  searchNetwork(database);
  return isNowOn;
}

/** Turns data saver mode over. @returns What it is now. */
export function toggleDataSaver(database: Database): boolean {
  return toggle(database, "data_saver_mode");
}

/** Turns Wi-Fi over. @returns What it is now; `undefined` where airplane mode forbids it. */
export function toggleWifi(database: Database): boolean | undefined {
  if (isOn(device(database), "airplane_mode")) return undefined;
  const isNowOn = toggle(database, "wifi_enabled");
  if (!isNowOn) dropWifi(database);
  return isNowOn;
}

/** Turns Wi-Fi calling over. @returns What it is now. */
export function toggleWifiCalling(database: Database): boolean {
  return toggle(database, "wifi_calling_enabled");
}

/** Takes the SIM card out, or puts it in. */
export function setSimMissing(database: Database, isMissing: boolean): void {
  editDevice(database).set("sim_card_missing", isMissing);
  searchNetwork(database);
}

/** APN settings as the carrier ships them. */
const DEFAULT_APN = new Map<string, string | boolean | null>([
  ["apn_name", "internet"],
  ["reset_at_reboot", false],
  ["mms_apn", "mms"],
  ["mmsc_url", "http://mms.carrier.com/mms/wapenc"],
  ["mms_proxy", null],
  ["mms_port", null],
]);

/** Puts the carrier's APN settings in place. */
export function installDefaultApn(database: Database): void {
  editDevice(database).set("active_apn_settings", copyValue(DEFAULT_APN));
}

function dropWifi(database: Database): void {
  const phone = editDevice(database);
  phone.set("wifi_connected", false);
  phone.set("wifi_ssid", null);
  phone.set("wifi_signal_strength", "none");
}
