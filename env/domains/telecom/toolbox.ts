/** Lists the tools of telecom's agent and user, and the functions that only tasks can call. */

import type { BundleFunction, Side } from "../../domain.ts";
import type { Tool } from "../../tool.ts";
import {
  accountAssertions,
  accountSetup,
} from "./functions/account_functions.ts";
import { phoneAssertions, phoneSetup } from "./functions/phone_functions.ts";
import {
  getBillsForCustomer,
  sendPaymentRequest,
  transferToHumanAgents,
} from "./tools/bill_tools.ts";
import {
  getCustomerById,
  getCustomerByName,
  getCustomerByPhone,
  getDetailsById,
} from "./tools/customer_tools.ts";
import {
  disableRoaming,
  enableRoaming,
  getDataUsage,
  refuelData,
  resumeLine,
  suspendLine,
} from "./tools/line_tools.ts";
import {
  checkAppPermissions,
  checkAppStatus,
  checkInstalledApps,
  grantAppPermission,
} from "./user_tools/app_tools.ts";
import {
  canSendMmsTool,
  checkNetworkModePreference,
  checkNetworkStatus,
  checkStatusBar,
  runSpeedTest,
  setNetworkModePreference,
} from "./user_tools/network_tools.ts";
import {
  checkPaymentRequest,
  makePayment,
} from "./user_tools/payment_tools.ts";
import {
  checkApnSettings,
  checkVpnStatus,
  connectVpnTool,
  disconnectVpnTool,
  rebootDevice,
  resetApnSettings,
  setApnSettings,
} from "./user_tools/setting_tools.ts";
import {
  checkDataRestrictionStatus,
  checkSimStatus,
  checkWifiCallingStatus,
  checkWifiStatus,
  reseatSimCard,
  toggleAirplaneModeTool,
  toggleDataSaverTool,
  toggleDataTool,
  toggleRoamingTool,
  toggleWifiCallingTool,
  toggleWifiTool,
} from "./user_tools/switch_tools.ts";

/** The agent's tools, in the order in which they are presented to models. */
export const agentTools: readonly Tool[] = [
  getCustomerByPhone,
  getCustomerById,
  getCustomerByName,
  getDetailsById,
  suspendLine,
  resumeLine,
  getBillsForCustomer,
  sendPaymentRequest,
  getDataUsage,
  enableRoaming,
  disableRoaming,
  transferToHumanAgents,
  refuelData,
];

/** The user's tools, in the order in which they are presented to models. */
export const userTools: readonly Tool[] = [
  checkStatusBar,
  checkNetworkStatus,
  checkNetworkModePreference,
  setNetworkModePreference,
  runSpeedTest,
  toggleAirplaneModeTool,
  checkSimStatus,
  reseatSimCard,
  toggleDataTool,
  toggleRoamingTool,
  checkDataRestrictionStatus,
  toggleDataSaverTool,
  checkApnSettings,
  setApnSettings,
  resetApnSettings,
  checkWifiStatus,
  toggleWifiTool,
  checkWifiCallingStatus,
  toggleWifiCallingTool,
  checkVpnStatus,
  connectVpnTool,
  disconnectVpnTool,
  checkInstalledApps,
  checkAppStatus,
  checkAppPermissions,
  grantAppPermission,
  canSendMmsTool,
  rebootDevice,
  checkPaymentRequest,
  makePayment,
];

/**
 * Converts tools to functions that tasks can call, because tasks may also use tools for setup. The tools' results are
 * discarded.
 */
function asFunctions(
  tools: readonly Tool[],
): Readonly<Record<string, BundleFunction>> {
  return Object.fromEntries(tools.map((tool) => [
    tool.name,
    (database, args) => {
      tool.call(database, args);
      return undefined;
    },
  ]));
}

/** The functions that tasks may call, keyed by side and name. */
export const functions: Readonly<
  Record<Side, Readonly<Record<string, BundleFunction>>>
> = {
  agent: {
    ...asFunctions(agentTools),
    ...accountSetup,
    ...accountAssertions,
  },
  user: { ...asFunctions(userTools), ...phoneSetup, ...phoneAssertions },
};
