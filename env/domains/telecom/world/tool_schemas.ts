/**
 * The schemas of telecom's tools as models see them. The descriptions were written for this project and are not
 * τ³-bench's.
 */

import { deskTools, text, tool } from "../../../generated/tool_schema.ts";
import type { ToolSchema } from "../../../types.ts";

const customer_id = text("The customer's id, such as C1001");
const line_id = text("The id of a line of the customer, such as L10010");
const app_name = text("The app's name: messaging or browser");

/** The schemas of the agent's tools, in the domain's order. */
export const telecomAgentTools: readonly ToolSchema[] = [
  tool("get_customer_by_phone", "Finds the account that has a phone number.", {
    phone_number: text("The number, such as 555-100-0010"),
  }),
  tool("get_customer_by_id", "Shows an account.", { customer_id }),
  tool("get_customer_by_name", "Finds the accounts of a name.", {
    full_name: text("First and last name"),
    dob: text("Date of birth, such as 1980-01-31"),
  }),
  tool("get_details_by_id", "Shows a line, bill, plan, phone or account.", {
    id: text("Its id; the first letter says what it is: L, B, P, D or C"),
  }),
  tool("suspend_line", "Suspends an active line.", {
    customer_id,
    line_id,
    reason: text("Why"),
  }),
  tool(
    "resume_line",
    "Makes a suspended line active. Only once all overdue bills are paid, and while the contract lasts.",
    { customer_id, line_id },
  ),
  withOptional(
    tool("get_bills_for_customer", "Lists a customer's bills, newest first.", {
      customer_id,
    }),
    "limit",
    { type: "integer", description: "How many at most; 12 if left out" },
  ),
  tool(
    "send_payment_request",
    "Asks the customer to pay a bill. Only an overdue one, and one at a time.",
    { customer_id, bill_id: text("The bill's id, such as B900001") },
  ),
  tool(
    "get_data_usage",
    "Shows how much data a line has used, and how much it may use.",
    { customer_id, line_id },
  ),
  tool("enable_roaming", "Lets a line be used abroad, for nothing.", {
    customer_id,
    line_id,
  }),
  tool("disable_roaming", "Keeps a line from being used abroad.", {
    customer_id,
    line_id,
  }),
  deskTools.transfer,
  tool(
    "refuel_data",
    "Sells more data to a line. Only after the customer has agreed to amount and price.",
    {
      customer_id,
      line_id,
      gb_amount: { type: "number", description: "How much, in GB; at most 2" },
    },
  ),
];

function withOptional(
  schema: ToolSchema,
  name: string,
  parameter: Readonly<Record<string, unknown>>,
): ToolSchema {
  const { parameters } = schema.function;
  const properties = {
    ...parameters["properties"] as object,
    [name]: parameter,
  };
  return {
    ...schema,
    function: { ...schema.function, parameters: { ...parameters, properties } },
  };
}

const plain = (name: string, description: string) =>
  tool(name, description, {});

/** The schemas of the user's tools, in the domain's order. */
export const telecomUserTools: readonly ToolSchema[] = [
  plain("check_status_bar", "Shows the icons at the top of your screen."),
  plain(
    "check_network_status",
    "Shows airplane mode, SIM card, connection, mobile data, roaming and Wi-Fi.",
  ),
  plain("check_network_mode_preference", "Shows which networks are preferred."),
  tool("set_network_mode_preference", "Chooses which networks are preferred.", {
    mode: {
      type: "string",
      enum: ["4g_5g_preferred", "4g_only", "3g_only", "2g_only"],
      description: "The networks",
    },
  }),
  plain("run_speed_test", "Measures how fast the internet is."),
  plain("toggle_airplane_mode", "Turns airplane mode on or off."),
  plain("check_sim_status", "Shows whether the SIM card works."),
  plain("reseat_sim_card", "Takes the SIM card out and puts it back in."),
  plain("toggle_data", "Turns mobile data on or off."),
  plain("toggle_roaming", "Turns data roaming on or off."),
  plain("check_data_restriction_status", "Shows whether data saver is on."),
  plain("toggle_data_saver_mode", "Turns data saver on or off."),
  plain("check_apn_settings", "Shows the APN's name and the MMSC URL."),
  tool("set_apn_settings", "Stores APN settings.", {
    apn_settings: { type: "object", description: "The settings by name" },
  }),
  plain(
    "reset_apn_settings",
    "Has the APN settings replaced by the carrier's at the next restart.",
  ),
  plain("check_wifi_status", "Shows whether Wi-Fi is on and connected."),
  plain("toggle_wifi", "Turns Wi-Fi on or off."),
  plain("check_wifi_calling_status", "Shows whether Wi-Fi calling is on."),
  plain("toggle_wifi_calling", "Turns Wi-Fi calling on or off."),
  plain("check_vpn_status", "Shows whether a VPN is connected, and which."),
  plain("connect_vpn", "Connects your VPN."),
  plain("disconnect_vpn", "Disconnects your VPN."),
  plain("check_installed_apps", "Lists your apps."),
  tool("check_app_status", "Shows an app and what it may do.", { app_name }),
  tool("check_app_permissions", "Shows what an app may do.", { app_name }),
  tool("grant_app_permission", "Lets an app do something.", {
    app_name,
    permission: text("What: sms, storage, phone or network"),
  }),
  plain("can_send_mms", "Checks whether the messaging app can send an MMS."),
  plain("reboot_device", "Restarts your phone."),
  plain("check_payment_request", "Shows what you are asked to pay."),
  plain("make_payment", "Pays what you are asked to pay."),
];
