/** The user's tools that toggle the phone's switches and show their states. */

import type { Database } from "../../../database.ts";
import type { Tool } from "../../../tool.ts";
import { simStatus } from "../phone/network.ts";
import { device, isOn } from "../phone/phone_rows.ts";
import { withStatusBar } from "../phone/status_bar.ts";
import {
  setSimMissing,
  toggleAirplaneMode,
  toggleData,
  toggleDataSaver,
  toggleRoaming,
  toggleWifi,
  toggleWifiCalling,
} from "../phone/switches.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import { act, check, onOff, phoneTool } from "./phone_tool.ts";

/** Creates a tool that toggles a switch and reports its new state. */
function switchTool(
  name: string,
  what: string,
  toggle: (database: Database) => boolean,
): Tool {
  return act(name, (database) => `${what} is now ${onOff(toggle(database))}.`);
}

export const toggleAirplaneModeTool = switchTool(
  "toggle_airplane_mode",
  "Airplane Mode",
  toggleAirplaneMode,
);

export const toggleDataTool = switchTool(
  "toggle_data",
  "Mobile Data",
  toggleData,
);

export const toggleRoamingTool = switchTool(
  "toggle_roaming",
  "Data Roaming",
  toggleRoaming,
);

export const toggleDataSaverTool = switchTool(
  "toggle_data_saver_mode",
  "Data Saver Mode",
  toggleDataSaver,
);

export const toggleWifiCallingTool = switchTool(
  "toggle_wifi_calling",
  "Wi-Fi Calling",
  toggleWifiCalling,
);

export const toggleWifiTool = phoneTool({
  name: "toggle_wifi",
  kind: "write",
  parameters: [],
  run(database) {
    const isNowOn = toggleWifi(database);
    return withStatusBar(
      database,
      isNowOn === undefined
        ? "Cannot change Wi-Fi settings while Airplane Mode is ON."
        : `Wi-Fi is now ${onOff(isNowOn)}.`,
    );
  },
});

/** The phone's message for each status of its SIM card. */
const SIM_WORDS: Readonly<Record<string, string>> = {
  active: "Your SIM card is active and working.",
  missing: "No SIM card detected in the phone.",
  locked_pin: "The SIM card is locked with a PIN code.",
  locked_puk: "The SIM card is locked with a PUK code.",
};

export const checkSimStatus = check(
  "check_sim_status",
  (database) => SIM_WORDS[simStatus(device(database))] ?? "",
);

export const reseatSimCard = act("reseat_sim_card", (database) => {
  setSimMissing(database, false);
  return "SIM card re-seated successfully.";
});

export const checkDataRestrictionStatus = check(
  "check_data_restriction_status",
  (database) =>
    isOn(device(database), "data_saver_mode")
      ? "Data Saver mode is ON (limits data usage)."
      : "Data Saver mode is OFF.",
);

export const checkWifiStatus = check("check_wifi_status", (database) => {
  const phone = device(database);
  if (!isOn(phone, "wifi_enabled")) return "Wi-Fi is turned OFF.";
  if (!isOn(phone, "wifi_connected")) {
    return "Wi-Fi is ON but not connected to any network.";
  }
  const ssid = pythonStr(phone.get("wifi_ssid") ?? null);
  const signal = pythonStr(phone.get("wifi_signal_strength") ?? null);
  return `Wi-Fi is ON and connected to '${ssid}'. Signal strength: ${signal}.`;
});

export const checkWifiCallingStatus = check(
  "check_wifi_calling_status",
  (database) =>
    `Wi-Fi Calling is currently turned ${
      onOff(isOn(device(database), "wifi_calling_enabled"))
    }.`,
);
