/** The user's tools for the network status, the mode preference and speed tests. */

import { pythonStr } from "../../../python/python_repr.ts";
import { copyValue, type JsonObject } from "../../../python/python_value.ts";
import {
  canSendMms,
  searchNetwork,
  simStatus,
  speedOf,
} from "../phone/network.ts";
import { NETWORK_MODES } from "../phone/phone_models.ts";
import {
  attributeError,
  device,
  editDevice,
  isOn,
} from "../phone/phone_rows.ts";
import { statusBar, withStatusBar } from "../phone/status_bar.ts";
import { check, onOff, phoneTool } from "./phone_tool.ts";

export const checkStatusBar = check(
  "check_status_bar",
  (database) => `Status Bar: ${statusBar(database)}`,
);

export const checkNetworkStatus = check(
  "check_network_status",
  (database) => {
    const phone = device(database);
    const isConnected = isOn(phone, "wifi_connected");
    const lines = [
      `Airplane Mode: ${onOff(isOn(phone, "airplane_mode"))}`,
      `SIM Card Status: ${simStatus(phone)}`,
      `Cellular Connection: ${shown(phone, "network_connection_status")}`,
      `Cellular Signal: ${shown(phone, "network_signal_strength")}`,
      `Cellular Network Type: ${shown(phone, "network_technology_connected")}`,
      `Mobile Data Enabled: ${yesNo(isOn(phone, "data_enabled"))}`,
      `Data Roaming Enabled: ${yesNo(isOn(phone, "roaming_enabled"))}`,
      `Wi-Fi Radio: ${onOff(isOn(phone, "wifi_enabled"))}`,
      `Wi-Fi Connected: ${yesNo(isConnected)}`,
    ];
    if (isConnected) {
      lines.push(`Connected Wi-Fi Network: ${shown(phone, "wifi_ssid")}`);
    }
    return lines.join("\n");
  },
);

function shown(phone: JsonObject, field: string): string {
  return pythonStr(phone.get(field) ?? null);
}

function yesNo(is: boolean): string {
  return is ? "Yes" : "No";
}

export const checkNetworkModePreference = check(
  "check_network_mode_preference",
  (database) => {
    const mode = device(database).get("network_mode_preference") ?? null;
    if (typeof mode !== "string") throw attributeError(mode, "value");
    return `Network Mode Preference: ${mode}`;
  },
);

export const setNetworkModePreference = phoneTool({
  name: "set_network_mode_preference",
  kind: "write",
  parameters: ["mode"],
  run(database, { mode }) {
    const isMode = NETWORK_MODES.some((one) => one === mode);
    // As in the original, a value that is not a string is stored before it is rejected.
    if (isMode || typeof mode !== "string") {
      editDevice(database).set("network_mode_preference", copyValue(mode));
      searchNetwork(database);
    }
    if (isMode) {
      return withStatusBar(
        database,
        `Preferred Network Mode set to: ${pythonStr(mode)}`,
      );
    }
    if (typeof mode !== "string" && mode !== null) {
      throw attributeError(mode, "value");
    }
    return withStatusBar(
      database,
      `Failed to set network mode: '${
        pythonStr(mode)
      }' is not a valid option. Please use one of: ${NETWORK_MODES.join(", ")}`,
    );
  },
});

/** The advice that a speed test shows for each speed rating. */
const ADVICE: Readonly<Record<string, string>> = {
  "Very Poor":
    "Connection is very slow. Basic web browsing might be difficult.",
  Poor:
    "Connection is slow. Web browsing may be sluggish, streaming difficult.",
  Fair:
    "Connection is okay for web browsing and some standard definition streaming.",
  Good: "Connection is good for most activities, including HD streaming.",
  Excellent: "Connection is very fast.",
};

export const runSpeedTest = check("run_speed_test", (database) => {
  const speed = speedOf(database);
  if (speed === undefined) return "Speed test failed: No Connection.";
  const { mbps, word } = speed;
  return `Speed Test Result: ${mbps.toFixed(2)} Mbps (${word}). ${
    ADVICE[word] ?? ""
  }`;
});

export const canSendMmsTool = check(
  "can_send_mms",
  (database) =>
    `Your messaging app ${
      canSendMms(database) ? "can" : "cannot"
    } send MMS messages.`,
);
