/** Telecom: an agent with the carrier's accounts, and a user who holds a phone and has tools of their own. */

import { type BundleFunction, defineDomain, type Side } from "../../domain.ts";
import type { Tool } from "../../tool.ts";
import { hashTelecom, isSameTelecom, loadTelecom } from "./databases.ts";
import {
  accountAssertions,
  accountSetup,
} from "./functions/account_functions.ts";
import { phoneAssertions, phoneSetup } from "./functions/phone_functions.ts";
import { serveTelecom } from "./expert/serve_telecom.ts";
import { rowSchemas } from "./schema.ts";
import { syncTelecom } from "./sync.ts";
import { phoneUser } from "./user/phone_user.ts";
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

/** In the order in which models are told of them. */
const agentTools = [
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

/** In the order in which models are told of them. */
const userTools = [
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

/** Tasks may set the world up by tools too: no more comes of it than of a call. */
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

const functions: Readonly<
  Record<Side, Readonly<Record<string, BundleFunction>>>
> = {
  agent: {
    ...asFunctions(agentTools),
    ...accountSetup,
    ...accountAssertions,
  },
  user: { ...asFunctions(userTools), ...phoneSetup, ...phoneAssertions },
};

/**
 * τ³-bench's telecom: the same checks in the same order, the same texts, the same effects.
 *
 * @see sierra-research/tau2-bench, src/tau2/domains/telecom.
 */
export const telecom = defineDomain({
  benchmark: "tau3",
  name: "telecom",
  rowSchemas,
  tools: agentTools,
  bundle: {
    load: loadTelecom,
    hash: hashTelecom,
    isSame: isSameTelecom,
    userTools,
    sync: syncTelecom,
    functions,
    scriptedUser: phoneUser,
  },
  expert: serveTelecom,
});
