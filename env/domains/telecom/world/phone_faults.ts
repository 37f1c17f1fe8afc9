/** The possible faults of a phone or its line, with the calls that set them up and fix them. */

import type { JsonValue } from "../../../python/python_value.ts";
import { toFloat } from "../../../python/python_number.ts";
import type { Complaint } from "../user/story.ts";

/** The side that makes a call, as named in task files. */
export type Actor = "assistant" | "user";

/** A call to a function or a tool. */
export interface PlannedCall {
  readonly actor: Actor;
  readonly name: string;
  readonly args: Readonly<Record<string, JsonValue>>;
}

/** The line and the bill that a fault affects, and the values that its setup and fixes use. */
export interface FaultPlace {
  readonly customerId: string;
  readonly lineId: string;
  /** The data included in the line's plan, in GB. */
  readonly limitGb: number;
  /** The amount of data that the user is willing to buy, in GB; 0 if the user does not want to buy any. */
  readonly refuelGb: number;
  /** The id of the bill that the fault leaves unpaid. */
  readonly billId: string;
  /** The outdated network mode to which a fault may restrict the phone. */
  readonly oldMode: "2g_only" | "3g_only";
}

/** A fault of a phone or its line. */
export interface Fault {
  readonly name: string;
  /** The kind of the fault. A task has at most one fault of each kind. */
  readonly kind: string;
  /** The services that do not work because of the fault. */
  readonly breaks: readonly Complaint[];
  setUp(place: FaultPlace): readonly PlannedCall[];
  /**
   * Returns the calls that fix the fault. Omitted if no allowed call can fix it; the user then has to be transferred.
   */
  fixes?(place: FaultPlace): readonly PlannedCall[];
  /** Returns additional checks that must hold at the end. Default: none. */
  checks?(place: FaultPlace): readonly PlannedCall[];
}

const ALL: readonly Complaint[] = ["service", "data", "mms"];
const DATA: readonly Complaint[] = ["data", "mms"];

const user = (
  name: string,
  args: PlannedCall["args"] = {},
): PlannedCall => ({ actor: "user", name, args });

const agent = (
  name: string,
  { customerId, lineId }: FaultPlace,
  args: PlannedCall["args"] = {},
): PlannedCall => ({
  actor: "assistant",
  name,
  args: { customer_id: customerId, line_id: lineId, ...args },
});

/** Creates a fault whose setup and fixes are always the same calls. Without `fixes`, no allowed call can fix it. */
function ofPhone(
  fault: Pick<Fault, "name" | "kind" | "breaks">,
  setUp: readonly PlannedCall[],
  fixes?: readonly PlannedCall[],
): Fault {
  const base = { ...fault, setUp: () => setUp };
  return fixes === undefined ? base : { ...base, fixes: () => fixes };
}

const abroad = user("set_user_location", { abroad: true });

function permissions(name: string, missing: readonly string[]): Fault {
  const call = (tool: string) =>
    missing.map((permission) =>
      user(tool, { app_name: "messaging", permission })
    );
  return ofPhone(
    { name, kind: "permissions", breaks: ["mms"] },
    call("remove_app_permission"),
    call("grant_app_permission"),
  );
}

function suspension(name: string, contractEnded: boolean): Fault {
  const fault: Fault = {
    name,
    kind: "line",
    breaks: contractEnded ? ["service"] : ALL,
    setUp: (place) => [
      agent("suspend_line_for_overdue_bill", place, {
        new_bill_id: place.billId,
        contract_ended: contractEnded,
      }),
    ],
  };
  if (contractEnded) return fault;
  return {
    ...fault,
    fixes: (place) => [
      {
        actor: "assistant",
        name: "send_payment_request",
        args: { customer_id: place.customerId, bill_id: place.billId },
      },
      user("make_payment"),
      agent("resume_line", place),
      user("reboot_device"),
    ],
    checks: ({ billId }) => [{
      actor: "assistant",
      name: "assert_no_overdue_bill",
      args: { overdue_bill_id: billId },
    }],
  };
}

function usedUp(name: string, buys: boolean): Fault {
  const fault: Fault = {
    name,
    kind: "usage",
    breaks: DATA,
    setUp: (place) => [
      agent("set_data_usage", place, {
        data_used_gb: toFloat(place.limitGb + 0.1),
      }),
    ],
  };
  if (!buys) return fault;
  return {
    ...fault,
    fixes: (place) => [
      agent("refuel_data", place, { gb_amount: toFloat(place.refuelGb) }),
    ],
    checks: (place) => [
      agent("assert_data_refueling_amount", place, {
        expected_amount: toFloat(place.refuelGb),
      }),
    ],
  };
}

/** All faults, in the order in which a task sets them up. */
export const FAULTS: readonly Fault[] = [
  ofPhone(
    { name: "sim_card_out", kind: "sim", breaks: ALL },
    [user("unseat_sim_card")],
    [user("reseat_sim_card")],
  ),
  ...["pin", "puk"].map((mode) =>
    ofPhone(
      { name: `sim_card_locked_by_${mode}`, kind: "lock", breaks: ["service"] },
      [user("lock_sim_card", { mode })],
    )
  ),
  suspension("line_suspended", false),
  suspension("contract_ended", true),
  {
    name: "roaming_off_on_the_line",
    kind: "roaming",
    breaks: DATA,
    setUp: (place) => [
      abroad,
      user("turn_roaming_on"),
      agent("disable_roaming", place),
    ],
    fixes: (place) => [agent("enable_roaming", place)],
  },
  {
    name: "roaming_off_on_the_phone",
    kind: "roaming",
    breaks: DATA,
    setUp: (place) => [abroad, agent("enable_roaming", place)],
    fixes: () => [user("toggle_roaming")],
  },
  {
    name: "roaming_off_on_both",
    kind: "roaming",
    breaks: DATA,
    setUp: (place) => [abroad, agent("disable_roaming", place)],
    fixes: (place) => [agent("enable_roaming", place), user("toggle_roaming")],
  },
  ofPhone(
    { name: "mobile_data_off", kind: "data", breaks: DATA },
    [user("turn_data_off")],
    [user("toggle_data")],
  ),
  usedUp("data_used_up", true),
  usedUp("data_used_up_and_none_bought", false),
  ofPhone(
    { name: "data_saver_on", kind: "saver", breaks: ["data"] },
    [user("turn_data_saver_mode_on")],
    [user("toggle_data_saver_mode")],
  ),
  {
    name: "old_network",
    kind: "mode",
    breaks: DATA,
    setUp: ({ oldMode }) => [
      user("set_network_mode_preference", { mode: oldMode }),
    ],
    fixes: () => [
      user("set_network_mode_preference", { mode: "4g_5g_preferred" }),
    ],
  },
  ofPhone(
    { name: "vpn_slow", kind: "vpn", breaks: ["data"] },
    [user("break_vpn")],
    [user("disconnect_vpn")],
  ),
  ofPhone(
    { name: "wifi_calling_on", kind: "calling", breaks: ["mms"] },
    [user("set_wifi_calling", { enabled: true, mms_over_wifi: true })],
    [user("toggle_wifi_calling")],
  ),
  permissions("no_sms_permission", ["sms"]),
  permissions("no_storage_permission", ["storage"]),
  permissions("no_permissions", ["sms", "storage"]),
  ofPhone(
    { name: "apn_broken", kind: "apn", breaks: ALL },
    [user("break_apn_settings")],
    [user("reset_apn_settings"), user("reboot_device")],
  ),
  ofPhone(
    { name: "mmsc_missing", kind: "apn", breaks: ["mms"] },
    [user("break_apn_mms_setting")],
    [user("reset_apn_settings"), user("reboot_device")],
  ),
  // This fault comes last, since it disconnects what the others have connected.
  ofPhone(
    { name: "airplane_mode_on", kind: "airplane", breaks: ALL },
    [user("turn_airplane_mode_on")],
    [user("toggle_airplane_mode")],
  ),
];

/** All kinds of faults, in the order of {@linkcode FAULTS}. */
export const FAULT_KINDS: readonly string[] = [
  ...new Set(FAULTS.map(({ kind }) => kind)),
];
