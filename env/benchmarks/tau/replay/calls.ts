/** Replays records that consist only of tool calls: gold actions and fuzzed calls. */

import { callTool } from "../../../call_tool.ts";
import type { Database } from "../../../database.ts";
import type { Domain } from "../../../domain.ts";
import { goldOf } from "../../../gold.ts";
import { grade } from "../../../reward.ts";
import type { Dataset, Task } from "../../../types.ts";
import type { Checker } from "./mismatch.ts";
import type { CallStep, RecordOf } from "./recording.ts";
import { checkRewardInfo } from "./reward_info.ts";

/** The dataset and domain for a replay of calls. */
export interface CallContext {
  readonly dataset: Dataset;
  readonly domain: Domain;
}

/**
 * Replays a task's gold actions. Checks the observations, the state after the recorded calls, the gold state, and the
 * reward of an agent that says nothing.
 */
export function replayGold(
  record: RecordOf<"gold">,
  { checker, task, ...context }: CallContext & { checker: Checker; task: Task },
): void {
  const { dataset } = context;
  const database = dataset.database.fork();
  for (const [i, step] of record.steps.entries()) {
    checkCall(step, { ...context, database, checker, number: i + 1 });
  }
  const gold = goldOf(dataset, task);
  checker.equal("final_data_hash", {
    expected: record.final_data_hash,
    got: database.hash(),
  });
  checker.equal("gt_data_hash", {
    expected: record.gt_data_hash,
    got: gold.hash(),
  });
  const reward = grade({ database, gold, task, messages: [] });
  checkRewardInfo(record.reward_without_responds, {
    checker,
    outcome: { gold, task },
    reward,
    step: null,
  });
}

/** Replays a sequence of calls and checks the observation and the state after each call. */
export function replayFuzz(
  record: RecordOf<"fuzz">,
  { checker, ...context }: CallContext & { checker: Checker },
): void {
  const database = context.dataset.database.fork();
  for (const [i, step] of record.steps.entries()) {
    const number = i + 1;
    const before = database.fork();
    checkCall(step, { ...context, database, checker, number });
    checkState(step, { database, before, checker, number });
  }
  checker.equal("final_data_hash", {
    expected: record.final_data_hash,
    got: database.hash(),
  });
}

function checkCall(
  step: CallStep,
  { dataset, domain, database, checker, number }: CallContext & {
    database: Database;
    checker: Checker;
    number: number;
  },
): void {
  const got = callTool(domain, database, {
    name: step.name,
    arguments: step.kwargs,
  });
  checkObservation(step, { got, checker, number });
  checker.equal("done", {
    expected: step.done ?? false,
    got: dataset.terminatingTools.includes(step.name),
    step: number,
  });
}

/**
 * Compares an observation with the recorded observation. If the recorded call failed with an internal Python error or
 * has no observation, any observation that starts with `Error: ` is accepted.
 */
export function checkObservation(
  step: Pick<CallStep, "observation" | "python_internal_error">,
  { got, checker, number }: { got: string; checker: Checker; number: number },
): void {
  const anyError = step.python_internal_error || step.observation === null;
  if (anyError && got.startsWith("Error: ")) return;
  checker.equal("observation", {
    expected: anyError ? "Error: …" : step.observation,
    got,
    step: number,
  });
}

function checkState(
  step: CallStep,
  { database, before, checker, number }: {
    database: Database;
    before: Database;
    checker: Checker;
    number: number;
  },
): void {
  const changed = database.diff(before).length > 0;
  if (!changed && step.data_hash === undefined) return;
  checker.equal("data_hash", {
    expected: step.data_hash ?? before.hash(),
    got: database.hash(),
    step: number,
  });
}
