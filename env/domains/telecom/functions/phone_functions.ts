/** The functions that tasks call to set up and check the phone. Users cannot call them. */

import type { BundleFunction } from "../../../domain.ts";
import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { compare } from "../../../python/python_number.ts";
import { asNumber, isEqual, lower } from "../../../python/python_object.ts";
import { stringRepr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import {
  canSendMms,
  hasMobileData,
  permissionsOf,
  searchNetwork,
  speedOf,
} from "../phone/network.ts";
import { NETWORK_STATUSES } from "../phone/phone_models.ts";
import {
  apnSettings,
  device,
  editDevice,
  editSurroundings,
  isOn,
  surroundings,
} from "../phone/phone_rows.ts";
import {
  setSimMissing,
  toggleAirplaneMode,
  toggleData,
  toggleDataSaver,
  toggleRoaming,
  toggleWifiCalling,
} from "../phone/switches.ts";
import { slowVpnDown } from "../phone/vpn.ts";
import { argument, given } from "./function_arguments.ts";

/**
 * Returns a function that toggles a switch once or twice, until the switch is in the wanted state. Each toggle has its
 * usual side effects.
 */
function turn(
  toggle: (database: Database) => boolean,
  shouldBe: boolean,
): BundleFunction {
  return (database) => {
    if (toggle(database) !== shouldBe) toggle(database);
    return undefined;
  };
}

/** Adapts a function that returns nothing to a `BundleFunction`. */
function effect(
  run: (database: Database, args: JsonObject) => void,
): BundleFunction {
  return (database, args) => {
    run(database, args);
    return undefined;
  };
}

/** Returns a function that checks whether a value equals the argument `expected_status`. */
function expects(
  actual: (database: Database) => JsonValue,
): BundleFunction {
  return (database, args) =>
    isEqual(actual(database), argument(args, "expected_status"));
}

/**
 * Mirrors a Python `assert` of the original.
 * @throws {ToolError} If the assertion fails, with the empty message of Python's `AssertionError`.
 */
function assertPython(holds: boolean): void {
  if (!holds) throw new ToolError("");
}

/** Functions that set up the phone. */
export const phoneSetup: Readonly<Record<string, BundleFunction>> = {
  set_user_info: effect((database, args) => {
    const around = editSurroundings(database);
    around.set("name", argument(args, "name"));
    around.set("phone_number", argument(args, "phone_number"));
  }),
  set_user_location: effect((database, args) => {
    editSurroundings(database).set("is_abroad", argument(args, "abroad"));
  }),
  turn_airplane_mode_on: turn(toggleAirplaneMode, true),
  turn_airplane_mode_off: turn(toggleAirplaneMode, false),
  turn_roaming_on: turn(toggleRoaming, true),
  turn_roaming_off: turn(toggleRoaming, false),
  turn_data_saver_mode_on: turn(toggleDataSaver, true),
  turn_data_saver_mode_off: turn(toggleDataSaver, false),
  turn_data_off: turn(toggleData, false),
  // Unlike the other functions, this one does not search for a network.
  turn_data_on: effect((database) => {
    editDevice(database).set("data_enabled", true);
  }),
  unseat_sim_card: effect((database) => setSimMissing(database, true)),
  lock_sim_card: effect((database, args) => {
    const mode = argument(args, "mode");
    if (mode === "pin" || mode === "puk") {
      editDevice(database).set("sim_card_status", `locked_${mode}`);
    }
    searchNetwork(database);
  }),
  break_apn_settings: effect((database) => {
    apnSettings(editDevice(database), "apn_name").set("apn_name", "broken");
    searchNetwork(database);
  }),
  break_apn_mms_setting: effect((database) => {
    apnSettings(editDevice(database), "mmsc_url").set("mmsc_url", null);
    assertPython(!canSendMms(database));
  }),
  break_vpn: effect(slowVpnDown),
  set_wifi_calling: effect((database, args) => {
    const enabled = argument(args, "enabled");
    const isEnabled = device(database).get("wifi_calling_enabled") ?? null;
    if (!isEqual(isEnabled, enabled)) toggleWifiCalling(database);
    const overWifi = given(args, "mms_over_wifi");
    if (overWifi === null) return;
    editDevice(database).set("wifi_calling_mms_over_wifi", overWifi);
  }),
  remove_app_permission: effect((database, args) => {
    const app = argument(args, "app_name");
    const name = lower(argument(args, "permission"));
    const permissions = permissionsOf(editDevice(database), String(app));
    if (permissions?.has(name)) permissions.set(name, false);
  }),
  simulate_network_search: effect(searchNetwork),
};

/** Functions that check the phone. */
export const phoneAssertions: Readonly<Record<string, BundleFunction>> = {
  assert_airplane_mode_status: expects((database) =>
    isOn(device(database), "airplane_mode")
  ),
  assert_service_status(database, args) {
    const expected = argument(args, "expected_status");
    if (!NETWORK_STATUSES.some((one) => one === expected)) {
      throw new ToolError(
        `${stringRepr(String(expected))} is not a valid NetworkStatus`,
      );
    }
    return device(database).get("network_connection_status") === expected;
  },
  assert_mobile_data_status: expects(hasMobileData),
  assert_mobile_roaming_status: expects((database) =>
    isOn(device(database), "roaming_enabled")
  ),
  assert_mobile_data_saver_mode_status: expects((database) =>
    isOn(device(database), "data_saver_mode")
  ),
  assert_internet_speed(database, args) {
    const { mbps = 0, word = "No Connection" } = speedOf(database) ?? {};
    const expected = asNumber(argument(args, "expected_speed"));
    if (!(compare(mbps, expected) >= 0)) return false;
    const description = given(args, "expected_desc");
    return description === null || word.toLowerCase() === lower(description);
  },
  assert_internet_not_excellent: (database) =>
    speedOf(database)?.word !== "Excellent",
  assert_can_send_mms: expects(canSendMms),
  assert_mobile_data_usage_exceeded: expects((database) =>
    isOn(surroundings(database), "mobile_data_usage_exceeded")
  ),
};
