/**
 * Exports an evaluation as a result file in τ³-bench's format, which τ³-bench's tools can read.
 * @see sierra-research/tau2-bench, src/tau2/data_model/simulation.py (Results, SimulationRun).
 */

import { variantName } from "../../env/benchmarks/tau3/load_bundle.ts";
import { ConfigError, DataError } from "../../env/errors.ts";
import {
  fromPlain,
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { toFloat } from "../../env/python/python_number.ts";
import { textAt } from "../../env/row.ts";
import {
  type AnsweredCall,
  type ConversationRules,
  type Dataset,
  STOP,
  type Task,
  type ToolCall,
  type Turn,
} from "../../env/types.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import { parseTurns } from "../runs/run_episodes.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";

/** Upstream's names for the reasons why a conversation ended. */
const TERMINATIONS: Readonly<Record<string, string>> = {
  user_stop: "user_stop",
  agent_stop: "agent_stop",
  agent_error: "agent_error",
  transfer: "user_stop",
  max_turns: "max_steps",
  too_many_errors: "too_many_errors",
  out_of_tokens: "context_window_exceeded",
  parse_errors: "agent_error",
  failed: "infrastructure_error",
};

/**
 * Returns the text of the result file: settings, tasks, and one simulation per episode, including failed ones, as in
 * upstream's files.
 * @throws {ConfigError} If the evaluation is from another benchmark.
 * @throws {DataError} If the dataset lacks the task of an episode.
 */
export function tau3Results(dir: EvaluationDir, dataset: Dataset): string {
  const { rules } = dataset;
  if (rules === undefined) {
    throw new ConfigError(
      `Cannot export the evaluation as τ³-bench results: it used the dataset "${dataset.name}"`,
      { hint: "omit --export, or evaluate with --tau3-bench DIR" },
    );
  }
  const { config } = dir;
  const tasks = dataset.tasks(config.split);
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const trials = new Map<string, number>();
  const simulations: JsonValue[] = [];
  const used = new Set<Task>();
  for (const episode of dir.episodes().sort((a, b) => a.group - b.group)) {
    const task = byId.get(episode.taskId);
    if (task === undefined) {
      throw new DataError(
        `Cannot export the evaluation: the dataset no longer has the task "${episode.taskId}"`,
        { hint: "export with the dataset that the evaluation used" },
      );
    }
    used.add(task);
    const trial = trials.get(task.id) ?? 0;
    trials.set(task.id, trial + 1);
    const { messages, turns } = dir.conversation(episode.id);
    simulations.push(simulationOf(episode, {
      id: rules.original(task).id,
      trial,
      messages: rules.solo === undefined
        ? messagesOf(messages, { turns: parseTurns(turns), rules })
        : turnMessages(parseTurns(turns), rules),
    }));
  }
  const results = object({
    timestamp: new Date().toISOString(),
    info: infoOf(dir, dataset),
    tasks: fromPlain([...used].map((task) => rules.original(task).task)),
    simulations,
  });
  return `${printPythonJson(results)}\n`;
}

function infoOf({ config }: EvaluationDir, dataset: Dataset): JsonValue {
  const { data, user, model } = config;
  const solo = dataset.rules?.solo;
  return object({
    git_commit: "taulab",
    num_trials: config.trials,
    max_steps: 200,
    max_errors: 10,
    user_info: object({
      implementation: solo !== undefined
        ? "dummy_user"
        : user.strategy === "llm"
        ? "user_simulator"
        : user.strategy,
      llm: user.endpoint.model,
      llm_args: argumentsOf(user.endpoint.temperature),
      global_simulation_guidelines: null,
    }),
    agent_info: object({
      // Upstream's tools recognize solo mode by this and the user's name.
      implementation: solo !== undefined
        ? "llm_agent_solo"
        : config.agent === "tool-calling"
        ? "llm_agent"
        : config.agent,
      llm: config.policy ?? model.model,
      llm_args: argumentsOf(model.temperature),
    }),
    environment_info: object({
      domain_name: variantName(dataset.domain, data.policyType),
      policy: solo?.policyWithUser ?? dataset.policy,
      tool_defs: null,
    }),
    seed: config.seed,
  });
}

function argumentsOf(temperature: number | null): JsonValue {
  return temperature === null
    ? object({})
    : object({ temperature: toFloat(temperature) });
}

function simulationOf(
  episode: StoredEpisode,
  { id, trial, messages }: { id: string; trial: number; messages: JsonValue[] },
): JsonValue {
  const { startedAtMs, durationMs, stopReason, usage, seed } = episode;
  const start = new Date(startedAtMs);
  const end = new Date(startedAtMs + durationMs);
  const at = start.toISOString();
  return object({
    id: `${id}-${trial}-${seed}`,
    task_id: id,
    timestamp: end.toISOString(),
    start_time: at,
    end_time: end.toISOString(),
    duration: toFloat(durationMs / 1000),
    termination_reason: TERMINATIONS[stopReason] ?? "unexpected_error",
    agent_cost: costOf(usage?.agent.cost ?? null),
    user_cost: costOf(usage?.user.cost ?? null),
    reward_info: fromPlain(episode.rewardDetail?.record ?? null),
    messages: messages.map((message, i) =>
      (message as JsonObject).set("turn_idx", i).set("timestamp", at)
    ),
    trial,
    seed,
    mode: "half_duplex",
  });
}

function costOf(cost: number | null): JsonValue {
  return cost === null ? null : toFloat(cost);
}

/** Returns all messages and calls of the agent and the user, from the stored messages and the turns. */
function messagesOf(
  stored: string,
  { turns, rules }: {
    turns: readonly Turn[];
    rules: ConversationRules;
  },
): JsonValue[] {
  const first = (parsePythonJson(stored) as JsonObject[]).find((message) =>
    message.get("role") === "user"
  );
  const messages: JsonValue[] = [said("assistant", rules.greeting)];
  messages.push(...callsOf("user", turns[0]?.openingCalls ?? []));
  if (first !== undefined) {
    messages.push(said("user", textAt(first, "content")));
  }
  messages.push(...turnMessages(turns, rules));
  return messages;
}

/** Returns the messages of the turns. For a solo agent, the conversation has no other messages. */
function turnMessages(
  turns: readonly Turn[],
  { solo }: Pick<ConversationRules, "solo">,
): JsonValue[] {
  const messages: JsonValue[] = [];
  // Calls in one message are separate turns.
  let open:
    | { made: AnsweredCall[]; text: string | null; count: number }
    | null = null;
  for (const { action, observation } of turns) {
    if (action.type === "tool") {
      const { call, content: text = null, beside = [] } = action;
      const isStop = ({ name }: ToolCall) => name === solo?.stopTool;
      if ([call, ...beside].some(isStop) || solo && text?.includes(STOP)) {
        messages.push(said("assistant", STOP));
        continue;
      }
      open ??= { made: [], text, count: 1 + beside.length };
      const { content } = observation;
      open.made.push({ call, content, error: content.startsWith("Error: ") });
      if (open.made.length < open.count) continue;
      messages.push(...messageOfCalls("assistant", open.made, open.text));
      open = null;
      continue;
    }
    messages.push(said("assistant", action.content));
    messages.push(...callsOf("user", observation.userCalls ?? []));
    if (observation.content !== "") {
      messages.push(said("user", observation.content));
    }
  }
  return messages;
}

function said(role: "assistant" | "user", content: string): JsonValue {
  return object({ role, content, tool_calls: null });
}

/** Returns one message per call, each followed by its result. */
function callsOf(
  requestor: "assistant" | "user",
  calls: readonly AnsweredCall[],
): JsonValue[] {
  return calls.flatMap((made) => messageOfCalls(requestor, [made], null));
}

/** Returns one message with all calls, followed by their results. */
function messageOfCalls(
  requestor: "assistant" | "user",
  calls: readonly AnsweredCall[],
  text: string | null,
): JsonValue[] {
  return [
    object({
      role: requestor,
      content: text,
      tool_calls: calls.map(({ call }) => callOf(call, requestor)),
    }),
    ...calls.map(({ call, content, error }) =>
      object({ id: call.id, role: "tool", content, requestor, error })
    ),
  ];
}

function callOf(
  { id, name, arguments: args }: ToolCall,
  requestor: string,
): JsonValue {
  return object({ id, name, arguments: args, requestor });
}

function object(members: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(members));
}
