/** Converts composed tasks to the format of `tasks.json`. */

import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { object } from "../../shared/call.ts";
import type { Complaint } from "../user/story.ts";
import { type TaskPlan, TRANSFER_CALL } from "./certify_task.ts";
import type { Caller } from "./draw_accounts.ts";
import type { PlannedCall } from "./phone_faults.ts";
import {
  knownInfo,
  PERSONAS,
  REASONS,
  taskInstructions,
  ticketOf,
} from "./task_words.ts";

/** For each complaint, the checks that hold once it is resolved. */
export const WORKS: Readonly<Record<Complaint, readonly PlannedCall[]>> = {
  service: [check("assert_service_status", "connected")],
  data: [check("assert_mobile_data_status", true), {
    actor: "user",
    name: "assert_internet_speed",
    args: { expected_speed: 200, expected_desc: "excellent" },
  }],
  mms: [check("assert_can_send_mms", true)],
};

/** For each complaint, the checks that hold if it is unresolved and the user was transferred. */
const BROKEN: Readonly<Record<Complaint, readonly PlannedCall[]>> = {
  service: [check("assert_service_status", "no_service")],
  data: [check("assert_mobile_data_status", false)],
  mms: [check("assert_can_send_mms", false)],
};

function check(name: string, expected_status: string | boolean): PlannedCall {
  return { actor: "user", name, args: { expected_status } };
}

/** Returns the task described by a plan and its gold actions, in the format of `tasks.json`. */
export function taskObject(
  { id, persona, complaint, caller, where, plan, gold }: {
    readonly id: string;
    readonly persona: string;
    readonly complaint: Complaint;
    readonly caller: Caller;
    readonly where: string;
    readonly plan: TaskPlan;
    readonly gold: readonly PlannedCall[];
  },
): JsonObject {
  const refuelGb = plan.agreedGb;
  const { isHopeless } = plan;
  return object({
    id,
    description: object({
      purpose: "Composed: several faults at once.",
      relevant_policies: null,
      notes: null,
    }),
    user_scenario: object({
      persona: PERSONAS[persona] ?? null,
      instructions: object({
        domain: "telecom",
        reason_for_call: REASONS[complaint],
        known_info: knownInfo(caller, where),
        unknown_info: null,
        task_instructions: taskInstructions(complaint, refuelGb),
      }),
    }),
    ticket: ticketOf({ complaint, place: where, refuelGb }, caller),
    initial_state: object({
      initialization_data: null,
      initialization_actions: plan.setUp.map(functionObject),
      message_history: null,
    }),
    evaluation_criteria: object({
      actions: gold.map(actionObject),
      env_assertions: (isHopeless ? BROKEN[complaint] : plan.works).map(
        assertionObject,
      ),
      communicate_info: null,
      nl_assertions: null,
      reward_basis: isHopeless
        ? ["ENV_ASSERTION", "ACTION"]
        : ["ENV_ASSERTION"],
    }),
  });
}

function functionObject({ actor, name, args }: PlannedCall): JsonObject {
  return object({
    env_type: actor,
    func_name: name,
    arguments: object(args),
  });
}

function assertionObject(call: PlannedCall): JsonObject {
  return new Map<string, JsonValue>([
    ...functionObject(call),
    ["assert_value", true],
    ["message", null],
  ]);
}

function actionObject(call: PlannedCall, index: number): JsonObject {
  const { actor, name, args } = call;
  return object({
    action_id: `${name}_${index}`,
    requestor: actor,
    name,
    arguments: object(args),
    info: null,
    // The summary of a transfer is not compared.
    compare_args: call === TRANSFER_CALL ? [] : null,
  });
}
