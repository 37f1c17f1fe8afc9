/** Prints the phone's status bar, which the phone's tools append to the result of an action. */

import type { Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { device, isOn } from "./phone_rows.ts";

/** Appends the status bar to a tool result. */
export function withStatusBar(database: Database, text: string): string {
  return `${text}\nStatus Bar: ${statusBar(database)}`;
}

/** Returns the status bar's icons as the phone's tools print them. */
export function statusBar(database: Database): string {
  const phone = device(database);
  const radio = isOn(phone, "airplane_mode")
    ? ["✈️ Airplane Mode"]
    : cellular(phone);
  const battery = `🔋 ${pythonStr(phone.get("battery_level") ?? null)}%`;
  return [...radio, ...wifi(phone), ...vpn(phone), battery].join(" | ");
}

const SIGNALS: Readonly<Record<string, string>> = {
  poor: "📶¹ Poor",
  fair: "📶² Fair",
  good: "📶³ Good",
  excellent: "📶⁴ Excellent",
};

function cellular(phone: JsonObject): string[] {
  const signal = String(phone.get("network_signal_strength"));
  const technology = String(phone.get("network_technology_connected"));
  const icons = [SIGNALS[signal] ?? "📵 No Signal"];
  if (technology === "none") return [...icons, "📵 Data Disabled"];
  icons.push(technology);
  if (!isOn(phone, "data_enabled")) return [...icons, "📵 Data Disabled"];
  icons.push("📱 Data Enabled");
  return isOn(phone, "data_saver_mode") ? [...icons, "🔽 Data Saver"] : icons;
}

function wifi(phone: JsonObject): string[] {
  if (!isOn(phone, "wifi_enabled") || !isOn(phone, "wifi_connected")) return [];
  const ssid = phone.get("wifi_ssid") ?? null;
  return [
    ssid === null || ssid === ""
      ? "📡 Enabled"
      : `📡 Connected to ${pythonStr(ssid)}`,
  ];
}

function vpn(phone: JsonObject): string[] {
  return isOn(phone, "vpn_connected") ? ["🔒 VPN Connected"] : [];
}
