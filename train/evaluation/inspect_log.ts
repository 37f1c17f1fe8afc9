/**
 * Exports an evaluation as an Inspect log, which Inspect's tools can list, open and rescore.
 * @see UKGovernmentBEIS/inspect_ai at 0.3.285, src/inspect_ai/log/_log.py (EvalLog) and _recorders/eval.py.
 */

import { OWN_METADATA } from "../../env/benchmarks/inspect/eval_log.ts";
import { DataError } from "../../env/errors.ts";
import { addUsage, NO_USAGE } from "../../env/models/usage.ts";
import {
  fromPlain,
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { objectsAt, textAt } from "../../env/row.ts";
import type { Dataset, Task, Usage } from "../../env/types.ts";
import { writeZip } from "../../env/zip_archive.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import { stamp } from "../runs/run_info.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";
import type { EvaluationReport } from "./evaluation_report.ts";
import { tauBenchResult } from "./tau_bench_results.ts";

/** The version of the log schema. */
const VERSION = 2;

/** The name of the score and of its scorer. */
const REWARD = "reward";

/** An Inspect log, and its file name in the form that Inspect's tools recognize. */
export interface InspectLog {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Returns the evaluation's log: one sample per episode. A sample's id is the task's index in the split, and its epoch
 * is the trial, counted from 1. Failed episodes are samples with an error and without a score.
 * @throws {DataError} If the dataset lacks the task of an episode.
 */
export function inspectLog(
  dir: EvaluationDir,
  { dataset, report }: {
    readonly dataset: Dataset;
    readonly report: EvaluationReport;
  },
): InspectLog {
  const samples = samplesOf(dir, dataset);
  const start = { version: VERSION, eval: specOf(dir, dataset), plan: PLAN };
  const { scored, planned, meanReward, passK } = report;
  const { endedAt, startedAt } = dir.info;
  const [first] = passK;
  const metrics = {
    mean: metric("mean", meanReward),
    ...(first === undefined || Number.isNaN(first.value)
      ? {}
      : { pass1: metric("pass1", first.value) }),
  };
  const header = {
    version: VERSION,
    status: scored === planned ? "success" : "cancelled",
    eval: start.eval,
    plan: PLAN,
    results: {
      total_samples: planned,
      completed_samples: scored,
      scores: [{
        name: REWARD,
        scorer: REWARD,
        reducer: "mean",
        scored_samples: scored,
        unscored_samples: samples.length - scored,
        params: {},
        metrics: Number.isNaN(meanReward) ? {} : metrics,
      }],
    },
    stats: {
      started_at: startedAt,
      completed_at: endedAt ?? startedAt,
      ...usagesOf(dir, report.usage),
    },
  };
  const summaries = samples.map((sample) => summaryOf(sample));
  const plain = (value: unknown) => printPythonJson(fromPlain(value));
  return {
    name: `${startedAt.slice(0, 19).replaceAll(":", "-")}+00-00_${
      taskName(dir).replaceAll("_", "-")
    }_${identityOf(dir)}.eval`,
    bytes: writeZip(
      new Map([
        ["_journal/start.json", plain(start)],
        ["_journal/summaries/1.json", printPythonJson(summaries)],
        ...samples.map((sample) =>
          [
            `samples/${sample.get("id")}_epoch_${sample.get("epoch")}.json`,
            printPythonJson(sample),
          ] as const
        ),
        ["summaries.json", printPythonJson(summaries)],
        ["header.json", plain(header)],
      ]),
    ),
  };
}

const PLAN = { name: "plan", steps: [], config: {} };

function metric(name: string, value: number) {
  return { name, value, params: {} };
}

/** Returns the name of the evaluated task set, such as `retail-test`. */
function taskName({ config }: EvaluationDir): string {
  return `${config.data.domain.replaceAll(".", "-")}-${config.split}`;
}

/** Returns an id that depends only on the evaluation's start time and seed. */
function identityOf({ info, config }: EvaluationDir): string {
  return `taulab${
    stamp(new Date(info.startedAt)).replace("-", "")
  }s${config.seed}`;
}

function specOf(dir: EvaluationDir, dataset: Dataset) {
  const { config, info } = dir;
  const ids = dataset.tasks(config.split).map(({ index }) => index);
  return {
    eval_id: identityOf(dir),
    run_id: identityOf(dir),
    created: info.startedAt,
    task: taskName(dir),
    task_id: identityOf(dir),
    task_version: 0,
    solver: config.agent,
    dataset: {
      name: `${dataset.name} ${dataset.domain} ${config.split}`,
      samples: config.tasks?.length ?? ids.length,
      sample_ids: config.tasks ?? ids,
      shuffled: false,
    },
    model: agentModel(dir),
    config: { epochs: config.trials, epochs_reducer: ["mean"] },
    scorers: [{ name: REWARD, metrics: [{ name: "mean" }] }],
    packages: { taulab: info.version },
    metadata: {
      run_dir: dir.path,
      seed: config.seed,
      user: config.user.strategy,
      user_model: config.user.endpoint.model,
      dataset_fingerprint: info.dataset.fingerprint,
    },
  };
}

/** Returns the model in Inspect's notation. `none` is Inspect's provider for logs without a model. */
function agentModel({ config }: EvaluationDir): string {
  const { model, provider } = config.model;
  if (config.agent === "expert") return "none/expert";
  if (config.policy !== null || model === null) {
    return `none/${config.policy ?? "model"}`;
  }
  return `${provider === "gemini" ? "google" : provider}/${model}`;
}

function userModel({ config }: EvaluationDir): string {
  return config.user.endpoint.model ?? config.user.strategy;
}

/** Returns the token usage per model and per role. */
function usagesOf(
  dir: EvaluationDir,
  { agent, user }: { readonly agent: Usage; readonly user: Usage },
) {
  const [one, other] = [agentModel(dir), userModel(dir)];
  const both = addUsage(agent, user);
  const asked = user.calls > 0;
  return {
    model_usage: {
      [one]: usageOf(asked && one === other ? both : agent),
      ...(asked && one !== other ? { [other]: usageOf(user) } : {}),
    },
    role_usage: {
      agent: usageOf(agent),
      ...(asked ? { user: usageOf(user) } : {}),
    },
  };
}

function usageOf(
  { promptTokens, cachedTokens, completionTokens, cost }: Usage,
) {
  return {
    input_tokens: promptTokens - cachedTokens,
    input_tokens_cache_read: cachedTokens,
    output_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    ...(cost === null ? {} : { total_cost: cost }),
  };
}

function samplesOf(dir: EvaluationDir, dataset: Dataset): JsonObject[] {
  const tasks = new Map(
    dataset.tasks(dir.config.split).map((task) => [task.id, task]),
  );
  const epochs = new Map<string, number>();
  return dir.episodes().sort((a, b) => a.group - b.group).map((episode) => {
    const task = tasks.get(episode.taskId);
    if (task === undefined) {
      throw new DataError(
        `Cannot export the evaluation: the dataset no longer has the task "${episode.taskId}"`,
        { hint: "export with the dataset that the evaluation used" },
      );
    }
    const epoch = (epochs.get(task.id) ?? 0) + 1;
    epochs.set(task.id, epoch);
    return sampleOf(dir, { episode, task, epoch, dataset });
  });
}

function sampleOf(
  dir: EvaluationDir,
  { episode, task, epoch, dataset }: {
    readonly episode: StoredEpisode;
    readonly task: Task;
    readonly epoch: number;
    readonly dataset: Dataset;
  },
): JsonObject {
  const { startedAtMs, durationMs, usage, failure, reward } = episode;
  const { messages: stored } = dir.conversation(episode.id);
  const result = tauBenchResult({
    episode,
    task,
    trial: epoch - 1,
    dataset,
    messages: stored,
  });
  const uuid = `${identityOf(dir)}-${task.index}-${epoch}`;
  const messages = objectsAt(result, "traj")
    .map((message, i) => messageOf(message, `${uuid}-${i}`));
  const last = messages.findLast((one) => one.get("role") === "assistant");
  return object({
    id: task.index,
    epoch,
    input: task.instruction,
    target: [...task.outputs],
    messages,
    output: outputOf(dir, last),
    scores: reward === null
      ? null
      : object({ [REWARD]: scoreOf(episode, result) }),
    metadata: object({
      task_id: task.id,
      intent: task.intent ?? null,
      seed: episode.seed,
      stop_reason: episode.stopReason,
      reason: episode.reason,
      [OWN_METADATA]: result.get("info") ?? null,
    }),
    store: object({}),
    events: [],
    ...fromMembers(
      usagesOf(dir, usage ?? { agent: NO_USAGE, user: NO_USAGE }),
    ),
    started_at: new Date(startedAtMs).toISOString(),
    completed_at: new Date(startedAtMs + durationMs).toISOString(),
    total_time: fromPlain(durationMs / 1000),
    working_time: fromPlain(durationMs / 1000),
    uuid,
    turn_count: episode.turns,
    error: failure === null ? null : object({
      message: `${failure.source} ${failure.kind}: ${failure.message}`,
      traceback: "",
      traceback_ansi: "",
    }),
    limit: episode.stopReason === "max_turns"
      ? object({ type: "turn", limit: dir.config.rollout.maxTurns })
      : null,
    attachments: object({}),
  });
}

function scoreOf(episode: StoredEpisode, result: JsonObject): JsonObject {
  const detail = episode.rewardDetail;
  const said = [
    episode.reason === null ? "" : `Not solved: ${episode.reason}`,
    ...(detail?.missingOutputs ?? []).map((one) => `not told: ${one}`),
    ...(detail?.differences ?? []).map(({ table, id }) =>
      `${table} ${id} has a wrong final state`
    ),
    ...(detail?.checks ?? []).filter(({ counts, met }) =>
      counts && met !== true
    )
      .map(({ part, what, why }) =>
        `${part}: ${what}${why ? ` (${why})` : ""}`
      ),
  ].filter((text) => text !== "");
  return object({
    value: result.get("reward") ?? null,
    answer: episode.stopReason,
    explanation: said.length === 0 ? "The task was solved" : said.join("\n"),
    metadata: detail === null ? object({}) : fromPlain({ parts: detail.parts }),
    history: [],
  });
}

/** Converts a message from OpenAI's format to Inspect's. */
function messageOf(message: JsonObject, id: string): JsonObject {
  const role = textAt(message, "role");
  const common = {
    id,
    role,
    content: message.get("content") ?? "",
    ...(role === "assistant" ? { source: "generate" } : {}),
  };
  if (role === "tool") {
    return object({
      ...common,
      tool_call_id: textAt(message, "tool_call_id"),
      function: textAt(message, "name"),
    });
  }
  if (!message.has("tool_calls")) return object(common);
  return object({
    ...common,
    tool_calls: objectsAt(message, "tool_calls").map((call) => {
      const called = call.get("function") as JsonObject;
      return object({
        id: textAt(call, "id"),
        function: textAt(called, "name"),
        arguments: argumentsOf(textAt(called, "arguments")),
        type: "function",
      });
    }),
  });
}

/**
 * Parses tool arguments, which τ-bench's format stores as text. If they are not a JSON object, returns an empty object.
 */
function argumentsOf(text: string): JsonValue {
  const args = parsePythonJson(text);
  return args instanceof Map ? args : object({});
}

function outputOf(
  dir: EvaluationDir,
  last: JsonObject | undefined,
): JsonObject {
  const model = agentModel(dir);
  if (last === undefined) return object({ model, choices: [] });
  return object({
    model,
    choices: [object({ message: last, stop_reason: "stop" })],
    completion: last.get("content") ?? "",
  });
}

/** Returns the summary of a sample, which Inspect shows in its list of samples. */
function summaryOf(sample: JsonObject): JsonObject {
  const keys = [
    ...["id", "epoch", "input", "target", "scores", "model_usage"],
    ...["role_usage", "started_at", "completed_at", "total_time"],
    ...["working_time", "uuid", "turn_count"],
  ];
  const metadata = new Map(sample.get("metadata") as JsonObject);
  metadata.delete(OWN_METADATA);
  const [error, limit] = ["error", "limit"]
    .map((key) => sample.get(key) as JsonObject | null);
  return object({
    ...Object.fromEntries(keys.map((key) => [key, sample.get(key) ?? null])),
    metadata,
    error: error?.get("message") ?? null,
    limit: limit?.get("type") ?? null,
    completed: true,
    message_count: (sample.get("messages") as JsonValue[]).length,
  });
}

function fromMembers(
  members: Readonly<Record<string, unknown>>,
): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(members).map(([key, value]) => [key, fromPlain(value)]),
  );
}

function object(members: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(members));
}
