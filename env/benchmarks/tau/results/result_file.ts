/**
 * Reads τ-bench's result files, including its published trajectories. A file is a list of `EnvRunResult`, or of recorded
 * episodes that have `messages` and `recorded_reward` instead of `traj` and `reward`. A missing optional field becomes
 * `null`, but a missing reward or trial becomes 0. A record that cannot be read is reported and skipped.
 *
 * @see sierra-research/tau-bench at 59a200c: tau_bench/types.py (EnvRunResult, EnvInfo, RewardResult) and
 * tau_bench/run.py, which records an exception as `{reward: 0.0, info: {error, traceback}, traj: []}`.
 */

import { DataError } from "../../../errors.ts";
import {
  faultsText,
  type NumberedRecord,
  readJsonRecords,
  type RecordFault,
} from "../../../json_records.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import { STOP } from "../../../types.ts";
import type { ResultEpisode } from "../../results/result_episode.ts";
import { failureOf } from "./result_failure.ts";
import { messageOf, openingOf, turnsIn } from "./result_messages.ts";
import {
  listOf,
  mapOf,
  numberOf,
  objectsOf,
  textOf,
} from "../../results/loose_json.ts";

/**
 * An episode from a result file. τ-bench writes a reward of 0 for an episode that ended with an exception; here, the
 * reward is `null`.
 */
export interface ResultRecord extends ResultEpisode {
  /** The user's last message before the agent's first message. */
  readonly opening: string;
  readonly userId: string | null;
  /** The hash of the gold state; `null` if it was not recorded. */
  readonly goldHash: string | null;
  readonly userCost: number | null;
}

/** The contents of a τ-bench result file. */
export interface ResultFile {
  readonly records: readonly ResultRecord[];
  /** The records that could not be read. */
  readonly faults: readonly RecordFault[];
}

/** Returns a description of the records that could not be read, or `null` if all were read. */
export function resultFaults(
  { records, faults }: {
    readonly records: readonly unknown[];
    readonly faults: readonly RecordFault[];
  },
): string | null {
  return faults.length === 0
    ? null
    : faultsText(faults, records.length + faults.length);
}

/**
 * Reads a result file.
 * @param bytes The file's content, optionally gzip-compressed.
 * @throws {DataError} If no record can be read; the message describes the first problem.
 */
export function readResultFile(bytes: Uint8Array, path: string): ResultFile {
  const read = readJsonRecords(bytes, path);
  return readResultRecords(read.records, path, read.faults);
}

/**
 * Converts parsed records to the episodes of a result file.
 * @param before Faults that were found earlier, which are included in the result.
 * @throws {DataError} If no record is an episode.
 */
export function readResultRecords(
  read: readonly NumberedRecord[],
  path: string,
  before: readonly RecordFault[] = [],
): ResultFile {
  const records: ResultRecord[] = [];
  const faults = [...before];
  for (const { record, number } of read) {
    const made = recordOf(record, number);
    if (typeof made === "string") {
      faults.push({ number, what: `record ${number} ${made}` });
    } else records.push(made);
  }
  faults.sort((a, b) => a.number - b.number);
  if (records.length > 0) return { records, faults };
  throw new DataError(
    `"${path}" is not a result file: ${faults[0]?.what ?? "it has no records"}`,
    {
      path,
      hint: "pass a run dir, or a result file of tau-bench or tau3-bench",
    },
  );
}

/** Returns the episode, or the reason why the record is not an episode, such as `has no task_id`. */
function recordOf(record: JsonObject, number: number): ResultRecord | string {
  const said = record.get("traj") ?? record.get("messages");
  const task = numberOf(record.get("task_id") ?? record.get("task_index"));
  if (task === null) return "has no task_id";
  if (!Array.isArray(said)) return "has no conversation (traj)";
  const odd = said.findIndex((message) => !(message instanceof Map));
  if (odd >= 0) return `has a message that is not an object (traj[${odd}])`;
  const info = mapOf(record.get("info"));
  const failure = failureOf(info);
  if (said.length === 0 && failure === null) {
    return "has neither a conversation (traj) nor an error";
  }
  const taskInfo = mapOf(info.get("task"));
  const rewardInfo = mapOf(
    info.get("reward_info") ?? record.get("recorded_reward_info") ??
      record.get("reward_info"),
  );
  const account = mapOf(rewardInfo.get("info"));
  const raw = objectsOf(said);
  const turns = turnsIn(raw);
  const value = numberOf(
    record.get("reward") ?? record.get("recorded_reward") ??
      rewardInfo.get("reward"),
  );
  const gold = rewardInfo.get("actions") ?? taskInfo.get("actions");
  return {
    number,
    task,
    trial: numberOf(record.get("trial")) ?? 0,
    ...rewardOf(value ?? 0, account),
    ...(failure === null ? {} : { reward: null, isDatabaseKnown: false }),
    failure,
    messages: raw.map(messageOf),
    turns,
    opening: openingOf(raw),
    stop: failure === null ? stopOf(turns) : "failed",
    userId: taskInfo.has("user_id") ? textOf(taskInfo, "user_id") : null,
    instruction: taskInfo.has("instruction")
      ? textOf(taskInfo, "instruction")
      : null,
    actions: Array.isArray(gold)
      ? objectsOf(gold).map((action) => ({
        name: textOf(action, "name"),
        kwargs: mapOf(action.get("kwargs") ?? action.get("arguments")),
      }))
      : null,
    outputs: outputsOf(taskInfo, account),
    goldHash: account.has("gt_data_hash")
      ? textOf(account, "gt_data_hash")
      : null,
    userCost: numberOf(info.get("user_cost")),
  };
}

/**
 * Returns the task's outputs. If the record does not list them, they are taken from the details of its reward. Returns
 * `null` if there are no details.
 */
function outputsOf(task: JsonObject, account: JsonObject): string[] | null {
  if (task.has("outputs")) return listOf(task.get("outputs")).map(String);
  const checked = account.get("outputs");
  if (checked instanceof Map) return [...checked.keys()];
  return account.has("gt_data_hash") ? [] : null;
}

function stopOf(turns: readonly JsonObject[]): string {
  const last = turns.at(-1);
  if (last === undefined) return "unknown";
  const call = mapOf(mapOf(last.get("action")).get("call"));
  if (call.get("name") === "transfer_to_human_agents") return "transfer";
  const answer = textOf(mapOf(last.get("observation")), "content");
  if (answer.includes(STOP)) return "user_stop";
  return turns.length >= 30 ? "max_turns" : "unknown";
}

/**
 * Splits a reward into its parts. τ-bench records only `r_outputs` if the task has outputs, and only `r_actions`
 * otherwise. For a task with outputs, the database part is therefore known only if all outputs were stated, because a
 * reward of 0 can then only be due to the database.
 */
function rewardOf(
  value: number,
  info: JsonObject,
): Pick<ResultRecord, "reward" | "isDatabaseKnown"> {
  const outputs = info.get("outputs");
  const database = numberOf(info.get("r_actions"));
  const said = numberOf(info.get("r_outputs"));
  const reward = {
    value,
    parts: {
      database: bit(database ?? (said === 0 ? 1 : value)),
      outputs: said === null ? null : bit(said),
    },
    differences: [],
    missingOutputs: outputs instanceof Map
      ? [...outputs].flatMap(([output, was]) => was === true ? [] : [output])
      : [],
  };
  return { reward, isDatabaseKnown: said !== 0 };
}

function bit(value: number): 0 | 1 {
  return value === 1 ? 1 : 0;
}
