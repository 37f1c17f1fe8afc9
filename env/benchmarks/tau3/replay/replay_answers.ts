/** Replays fuzzed calls, and compares the results and states of single calls with recordings. */

import { ToolError } from "../../../errors.ts";
import { fromPlain, type JsonObject } from "../../../python/python_value.ts";
import type { Checker } from "../../tau/replay/mismatch.ts";
import type { Tau3Bundle } from "../load_bundle.ts";
import { RaisedError } from "../raised.ts";
import type { Requestor, Tau3Call } from "../tau3_message.ts";
import type { EnvironmentAssertion } from "../tau3_task.ts";
import { startWorld, type StateHashes, type Tau3World } from "../tau3_world.ts";
import type { RecordedAnswer, Tau3RecordOf } from "./tau3_recording.ts";

/** Replays a sequence of calls and checks the result and both states after each call, and the assertions at the end. */
export function replayCalls(
  record: Tau3RecordOf<"fuzz">,
  { bundle, checker }: { bundle: Tau3Bundle; checker: Checker },
): void {
  const { task_id, init_actions } = record;
  const setUp = init_actions ??
    (task_id === undefined ? [] : bundle.task(task_id).setUp);
  const world = startWorld(bundle, { setUp }, { solo: record.kind === "solo" });
  if (record.init !== undefined) {
    checkHashes("init", { expected: record.init, world, checker });
  }
  for (const [i, step] of record.steps.entries()) {
    const call = { ...step, id: "c" };
    checkCall(step, { call, world, checker, number: i + 1 });
  }
  checkHashes("final", { expected: record.final, world, checker });
  if (record.assertions === undefined) return;
  for (const [i, expected] of record.assertions.entries()) {
    const assertion = ASSERTIONS[i];
    if (assertion === undefined) continue;
    const got = outcomeOf(() => world.holds(assertion));
    checker.equal(`assertion ${assertion.name}`, {
      expected: typeof expected === "string" ? "raised" : expected,
      got,
      step: i + 1,
    });
  }
}

/** Runs a call and compares its result and both states with the recording. */
export function checkCall(
  expected: RecordedAnswer,
  { call, world, checker, number: step }: {
    call: Tau3Call;
    world: Tau3World;
    checker: Checker;
    number: number;
  },
): void {
  const before = world.fork();
  const { content, error } = world.respond(call);
  checker.equal("error", { expected: expected.error, got: error, step });
  if (!hasFreeText(expected)) {
    checker.equal("content", {
      expected: expected.content,
      got: content,
      step,
    });
  }
  const isUnchanged = expected.db === undefined &&
    expected.user_db === undefined && world.sameAs(before);
  if (isUnchanged) return;
  const hashesBefore = before.hashes();
  checkHashes("state", {
    expected: {
      ...hashesBefore,
      ...expected.db !== undefined && { db: expected.db },
      ...expected.user_db !== undefined && { user_db: expected.user_db },
    },
    world,
    checker,
    step,
  });
}

/** Checks whether a recorded tool result is an internal Python error, whose wording may differ. */
function hasFreeText({ tier, python_internal_error }: RecordedAnswer): boolean {
  return python_internal_error || tier === "binding" || tier === "internal";
}

/** Compares the hashes of both databases with the recorded hashes. */
export function checkHashes(
  what: string,
  { expected, world, checker, step = null }: {
    expected: { db: string; user_db?: string | undefined };
    world: Tau3World;
    checker: Checker;
    step?: number | null;
  },
): void {
  const got: StateHashes = world.hashes();
  checker.equal(`${what}.db`, { expected: expected.db, got: got.db, step });
  checker.equal(`${what}.user_db`, {
    expected: expected.user_db,
    got: got.user_db,
    step,
  });
}

/** Returns the result of a check, or `"raised"` if it throws a `ToolError` or a `RaisedError`. */
export function outcomeOf(check: () => boolean): boolean | "raised" {
  try {
    return check();
  } catch (error) {
    if (error instanceof ToolError || error instanceof RaisedError) {
      return "raised";
    }
    throw error;
  }
}

function assertion(
  side: Requestor,
  name: string,
  args: Readonly<Record<string, unknown>>,
): EnvironmentAssertion {
  return {
    side,
    name,
    arguments: fromPlain(args) as JsonObject,
    expected: true,
    message: null,
  };
}

const LINE = { customer_id: "C1001", line_id: "L1002" };

/** The assertions to check after fuzzed calls, in the order used in recordings. */
const ASSERTIONS: readonly EnvironmentAssertion[] = [
  assertion("user", "assert_airplane_mode_status", { expected_status: false }),
  ...["connected", "no_service", "bogus"].map((expected_status) =>
    assertion("user", "assert_service_status", { expected_status })
  ),
  assertion("user", "assert_mobile_data_status", { expected_status: true }),
  assertion("user", "assert_mobile_roaming_status", { expected_status: true }),
  assertion("user", "assert_mobile_data_saver_mode_status", {
    expected_status: false,
  }),
  assertion("user", "assert_internet_speed", {
    expected_speed: 200,
    expected_desc: "excellent",
  }),
  assertion("user", "assert_internet_speed", { expected_speed: 10 }),
  assertion("user", "assert_internet_not_excellent", {}),
  assertion("user", "assert_can_send_mms", { expected_status: true }),
  assertion("user", "assert_mobile_data_usage_exceeded", {
    expected_status: false,
  }),
  assertion("assistant", "assert_data_refueling_amount", {
    ...LINE,
    expected_amount: 2,
  }),
  assertion("assistant", "assert_line_status", {
    ...LINE,
    expected_status: "Active",
  }),
  assertion("assistant", "assert_no_overdue_bill", {
    overdue_bill_id: "B1234321",
  }),
  assertion("assistant", "assert_overdue_bill_exists", {
    customer_id: "C1001",
    overdue_bill_id: "B1234321",
  }),
];
