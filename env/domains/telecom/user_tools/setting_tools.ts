/** The user's tools for APN settings, the VPN and restarts. */

import { pythonRepr, pythonStr } from "../../../python/python_repr.ts";
import { validate } from "../../../python/pydantic.ts";
import { copyValue, type JsonObject } from "../../../python/python_value.ts";
import { searchNetwork } from "../phone/network.ts";
import { ApnSettings } from "../phone/phone_models.ts";
import { apnSettings, device, editDevice, isOn } from "../phone/phone_rows.ts";
import { withStatusBar } from "../phone/status_bar.ts";
import { installDefaultApn } from "../phone/switches.ts";
import { connectVpn, disconnectVpn } from "../phone/vpn.ts";
import { act, check, phoneTool } from "./phone_tool.ts";

export const checkApnSettings = check("check_apn_settings", (database) => {
  const settings = apnSettings(device(database), "model_copy");
  const [name, url] = ["apn_name", "mmsc_url"].map((field) =>
    pythonStr(settings.get(field) || "Not Set")
  );
  return `Current APN Name: ${name}\nMMSC URL (for picture messages): ${url}\n(These are technical settings, usually best left unchanged.)`;
});

export const setApnSettings = phoneTool({
  name: "set_apn_settings",
  kind: "write",
  parameters: ["apn_settings"],
  run(database, { apn_settings }) {
    // Only objects are validated. As in the original, any other value is stored unchanged and breaks the phone
    // permanently.
    const settings = apn_settings instanceof Map
      ? validate(ApnSettings, apn_settings)
      : copyValue(apn_settings);
    editDevice(database).set("active_apn_settings", settings);
    const name = apnSettings(device(database), "apn_name").get("apn_name");
    searchNetwork(database);
    return withStatusBar(
      database,
      `APN settings set to: ${pythonStr(name ?? null)}`,
    );
  },
});

export const resetApnSettings = act("reset_apn_settings", (database) => {
  apnSettings(editDevice(database), "reset_at_reboot")
    .set("reset_at_reboot", true);
  searchNetwork(database);
  return "APN settings will reset at reboot.";
});

export const rebootDevice = act("reboot_device", (database) => {
  const lines = ["Restarting network services..."];
  const settings = apnSettings(device(database), "reset_at_reboot");
  if (isOn(settings, "reset_at_reboot")) {
    lines.unshift("Resetting APN settings...");
    installDefaultApn(database);
  }
  editDevice(database).set("network_connection_status", "searching");
  searchNetwork(database);
  return lines.join("\n");
});

export const checkVpnStatus = check("check_vpn_status", (database) => {
  const phone = device(database);
  if (isOn(phone, "vpn_connected")) {
    const details = phone.get("vpn_details");
    return details instanceof Map
      ? `VPN is ON and connected. Details: ${vpnRepr(details)}`
      : "VPN is ON and connected (no specific details available).";
  }
  return isOn(phone, "vpn_enabled_setting")
    ? "VPN is turned ON in settings, but currently not connected."
    : "VPN is turned OFF.";
});

/** Formats VPN details as Python's `repr` formats a dict with one enum value. */
function vpnRepr(details: JsonObject): string {
  const members = Array.from(details, ([key, value]) => {
    const text = pythonRepr(value);
    return key === "server_performance"
      ? `'${key}': <PerformanceLevel.${String(value).toUpperCase()}: ${text}>`
      : `'${key}': ${text}`;
  });
  return `{${members.join(", ")}}`;
}

export const connectVpnTool = phoneTool({
  name: "connect_vpn",
  kind: "write",
  parameters: [],
  run: (database) =>
    connectVpn(database)
      ? withStatusBar(database, "VPN connected successfully.")
      : "VPN already connected.",
});

export const disconnectVpnTool = act(
  "disconnect_vpn",
  (database) =>
    disconnectVpn(database)
      ? "VPN disconnected successfully."
      : "No active VPN connection to disconnect.",
);
