/**
 * The models of the user's database, which describes the phone and its surroundings. The models reject unknown keys.
 */

import {
  defineModel,
  type Field,
  field,
  validate,
} from "../../../python/pydantic.ts";
import type { JsonValue } from "../../../python/python_value.ts";

const FORBID = { extra: "forbid" } as const;
const TECHNOLOGIES = ["none", "2G", "3G", "4G", "5G"];
const SIGNALS = ["none", "poor", "fair", "good", "excellent"];
const LEVELS = ["unknown", "poor", "fair", "good", "excellent"];

/** The possible network mode preferences. */
export const NETWORK_MODES = [
  "4g_5g_preferred",
  "4g_only",
  "3g_only",
  "2g_only",
] as const;

/** The possible connection states of the phone. */
export const NETWORK_STATUSES = [
  "connected",
  "searching",
  "no_service",
  "emergency_only",
];

const off = () => field.bool({ default: false });
const signal = (value: string) => field.enum(SIGNALS, { default: value });
const maybe = (type: Field, value: JsonValue = null): Field => ({
  ...field.optional(type),
  default: value,
});

/** The model of the settings that connect a phone to the carrier's data network. */
export const ApnSettings = defineModel("APNSettings", {
  apn_name: field.enum(["internet", "broken"], { default: "internet" }),
  reset_at_reboot: off(),
  mms_apn: maybe(field.str(), "mms"),
  mmsc_url: maybe(field.str(), "http://mms.carrier.com/mms/wapenc"),
  mms_proxy: maybe(field.str()),
  mms_port: maybe(field.int()),
}, FORBID);

const VpnDetails = defineModel("VpnDetails", {
  server_address: maybe(field.str()),
  protocol: maybe(field.str()),
  server_performance: field.enum(LEVELS, { default: "unknown" }),
}, FORBID);

/** The model of an app's permissions. */
export const AppPermissions = defineModel("AppPermissions", {
  sms: off(),
  storage: off(),
  phone: off(),
  network: off(),
}, FORBID);

const AppStatus = defineModel("AppStatus", {
  app_name: field.str(),
  permissions: field.model(AppPermissions, {
    default: validate(AppPermissions, new Map()),
  }),
}, FORBID);

const appNamed = (name: string, permissions: readonly string[]) =>
  validate(
    AppStatus,
    new Map<string, JsonValue>([
      ["app_name", name],
      ["permissions", new Map(permissions.map((one) => [one, true]))],
    ]),
  );

const MockPhoneAttributes = defineModel("MockPhoneAttributes", {
  sim_card_status: field.enum(
    ["active", "missing", "locked_pin", "locked_puk"],
    { default: "active" },
  ),
  sim_card_missing: off(),
  airplane_mode: off(),
  network_signal_strength: signal("good"),
  network_technology_connected: field.enum(TECHNOLOGIES, { default: "5G" }),
  network_connection_status: field.enum(NETWORK_STATUSES, {
    default: "connected",
  }),
  battery_level: field.int({ default: 80 }),
  data_enabled: field.bool({ default: true }),
  roaming_enabled: off(),
  network_mode_preference: field.enum(NETWORK_MODES, {
    default: "4g_5g_preferred",
  }),
  active_apn_settings: field.model(ApnSettings, {
    default: validate(ApnSettings, new Map()),
  }),
  wifi_enabled: off(),
  wifi_connected: off(),
  wifi_ssid: maybe(field.str()),
  wifi_signal_strength: signal("none"),
  wifi_calling_enabled: off(),
  wifi_calling_mms_over_wifi: off(),
  data_saver_mode: off(),
  vpn_enabled_setting: off(),
  vpn_connected: off(),
  vpn_details: maybe(field.model(VpnDetails)),
  app_statuses: {
    ...field.map(field.model(AppStatus)),
    default: new Map<string, JsonValue>([
      ["messaging", appNamed("messaging", ["sms", "storage", "phone"])],
      ["browser", appNamed("browser", ["network", "storage"])],
    ]),
  },
}, FORBID);

/** The model of a request to pay a bill. */
export const PaymentRequest = defineModel("PaymentRequest", {
  bill_id: field.str(),
  amount_due: field.float(),
  paid: off(),
}, FORBID);

const UserSurroundings = defineModel("UserSurroundings", {
  name: maybe(field.str()),
  phone_number: maybe(field.str()),
  is_abroad: off(),
  roaming_allowed: off(),
  signal_strength: {
    ...field.map(field.enum(SIGNALS), { keys: field.enum(TECHNOLOGIES) }),
    default: new Map<string, JsonValue>([
      ["2G", "poor"],
      ["3G", "fair"],
      ["4G", "good"],
      ["5G", "excellent"],
    ]),
  },
  mobile_data_usage_exceeded: off(),
  line_active: field.bool({ default: true }),
  payment_request: maybe(field.model(PaymentRequest)),
}, FORBID);

/** The model of the user's complete database. */
export const TelecomUserDb = defineModel("TelecomUserDB", {
  device: field.model(MockPhoneAttributes, {
    default: validate(MockPhoneAttributes, new Map()),
  }),
  surroundings: field.model(UserSurroundings, {
    default: validate(UserSurroundings, new Map()),
  }),
}, FORBID);
