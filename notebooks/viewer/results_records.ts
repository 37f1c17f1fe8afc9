/**
 * τ-bench's own result files: a list of `EnvRunResult`, or replays of such with their messages. Read liberally:
 * what other tools left out is missing in the view, and nothing else.
 *
 * @see sierra-research/tau-bench, tau_bench/types.py (EnvRunResult, EnvInfo, RewardResult) at 59a200c.
 */

import { gunzipSync } from "node:zlib";
import { DataError } from "../../env/errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import { Float } from "../../env/python/python_value.ts";
import { type Reward, STOP } from "../../env/types.ts";
import { stringIn } from "./conversation_view.ts";

/** An episode of a result file. */
export interface ResultRecord {
  /** Position of its task in its split. */
  readonly task: number;
  readonly trial: number;
  readonly reward: Reward;
  /** Whether `reward.parts.database` is more than a guess. */
  readonly isDatabaseKnown: boolean;
  /** In our own form, as the store has them. */
  readonly messages: readonly JsonObject[];
  readonly turns: readonly JsonObject[];
  readonly stop: string;
  readonly instruction: string | null;
  readonly actions: readonly { name: string; kwargs: JsonObject }[];
  readonly outputs: readonly string[];
  readonly userCost: number | null;
}

/**
 * Reads a result file.
 * @param bytes Its content, perhaps compressed by gzip.
 * @throws {DataError} If it is none; says what it has instead.
 */
export function readResults(bytes: Uint8Array, path: string): ResultRecord[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  let value: JsonValue;
  try {
    const text = new TextDecoder().decode(isGzip ? gunzipSync(bytes) : bytes);
    value = parsePythonJson(text, { path });
  } catch (error) {
    throw notResults(path, `it is not JSON (${(error as Error).message})`);
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw notResults(path, "it is no list of results");
  }
  return value.map((record, i) => {
    if (!(record instanceof Map)) {
      throw notResults(path, `record ${i + 1} is no object`);
    }
    return recordOf(record, { path, number: i + 1 });
  });
}

function recordOf(
  record: JsonObject,
  { path, number }: { path: string; number: number },
): ResultRecord {
  const raw = objects(record.get("traj") ?? record.get("messages"));
  const task = numberOf(record.get("task_id") ?? record.get("task_index"));
  if (raw.length === 0 || task === null) {
    throw notResults(
      path,
      `record ${number} lacks ${
        task === null ? "its task_id" : "its conversation (traj)"
      }`,
    );
  }
  const info = mapOf(record.get("info"));
  const taskInfo = mapOf(info.get("task"));
  const rewardInfo = mapOf(
    info.get("reward_info") ?? record.get("recorded_reward_info") ??
      record.get("reward_info"),
  );
  const messages = raw.map(messageOf);
  const turns = turnsIn(messages);
  const value = numberOf(
    record.get("reward") ?? record.get("recorded_reward") ??
      rewardInfo.get("reward"),
  );
  return {
    task,
    trial: numberOf(record.get("trial")) ?? 0,
    ...rewardOf(value ?? 0, mapOf(rewardInfo.get("info"))),
    messages,
    turns,
    stop: stopOf(turns),
    instruction: taskInfo.has("instruction")
      ? stringIn(taskInfo, "instruction")
      : null,
    actions: objects(rewardInfo.get("actions") ?? taskInfo.get("actions")).map(
      (action) => ({
        name: stringIn(action, "name"),
        kwargs: mapOf(action.get("kwargs")),
      }),
    ),
    outputs: listOf(taskInfo.get("outputs")).map(String),
    userCost: numberOf(info.get("user_cost")),
  };
}

/** A message of OpenAI's API in our own form. */
function messageOf(message: JsonObject): JsonObject {
  const out: JsonObject = new Map<string, JsonValue>([
    ["role", stringIn(message, "role")],
    ["content", stringIn(message, "content")],
  ]);
  if (message.has("name")) out.set("name", stringIn(message, "name"));
  const calls = objects(message.get("tool_calls"));
  if (calls.length > 0) out.set("toolCalls", calls.map(callOf));
  return out;
}

function callOf(call: JsonObject): JsonObject {
  const called = mapOf(call.get("function"));
  const text = stringIn(called, "arguments");
  return new Map<string, JsonValue>([
    ["id", stringIn(call, "id")],
    ["name", stringIn(called, "name")],
    ["arguments", argumentsOf(text)],
  ]);
}

/** What a model wrote need not be JSON. */
function argumentsOf(text: string): JsonValue {
  try {
    return parsePythonJson(text);
  } catch {
    return text;
  }
}

/** Each of the agent's messages with the one that answers it. τ-bench takes the first call of a message only. */
function turnsIn(messages: readonly JsonObject[]): JsonObject[] {
  return messages.flatMap((message, i) => {
    if (message.get("role") !== "assistant") return [];
    const answer = messages[i + 1];
    const [call] = objects(message.get("toolCalls"));
    const action: JsonObject = call === undefined
      ? new Map([["type", "respond"], [
        "content",
        stringIn(message, "content"),
      ]])
      : new Map<string, JsonValue>([["type", "tool"], ["call", call]]);
    const content = answer === undefined ? "" : stringIn(answer, "content");
    return [
      new Map<string, JsonValue>([
        ["action", action],
        [
          "observation",
          new Map<string, JsonValue>([
            ["source", call === undefined ? "user" : "tool"],
            ["content", content],
            ["done", false],
          ]),
        ],
      ]),
    ];
  });
}

function stopOf(turns: readonly JsonObject[]): string {
  const last = turns.at(-1);
  if (last === undefined) return "unknown";
  const call = mapOf(mapOf(last.get("action")).get("call"));
  if (call.get("name") === "transfer_to_human_agents") return "transfer";
  const answer = stringIn(mapOf(last.get("observation")), "content");
  if (answer.includes(STOP)) return "user_stop";
  return turns.length >= 30 ? "max_turns" : "unknown";
}

/**
 * τ-bench's account names the outputs or, where the task asks for none, the state. With outputs, the state is known
 * only where they were all told: what is missing then is the state's fault.
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

function notResults(path: string, why: string): DataError {
  return new DataError(
    `Cannot view "${path}": ${why}`,
    {
      path,
      hint:
        'name a run dir, or a result file of tau-bench, as "deno task evaluate --export tau-bench" writes',
    },
  );
}

function objects(value: JsonValue | undefined): JsonObject[] {
  return listOf(value).filter((item) => item instanceof Map);
}

function listOf(value: JsonValue | undefined): JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function mapOf(value: JsonValue | undefined): JsonObject {
  return value instanceof Map ? value : new Map();
}

function numberOf(value: JsonValue | undefined): number | null {
  if (value instanceof Float) return value.value;
  return typeof value === "number" || typeof value === "bigint"
    ? Number(value)
    : null;
}
