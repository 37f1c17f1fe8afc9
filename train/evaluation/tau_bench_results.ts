/**
 * Exports an evaluation as a result file in τ-bench's format, which τ-bench's tools can read.
 * @see sierra-research/tau-bench at 59a200c, tau_bench/types.py (EnvRunResult, EnvInfo, RewardResult).
 */

import { DataError } from "../../env/errors.ts";
import { goldOf } from "../../env/gold.ts";
import {
  fromPlain,
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../env/python/python_json.ts";
import { toFloat } from "../../env/python/python_number.ts";
import { tauBenchRewardInfo } from "../../env/reward.ts";
import { objectsAt, textAt } from "../../env/row.ts";
import type { Dataset, Reward, Task, ToolAction } from "../../env/types.ts";
import type { StoredEpisode } from "../runs/episode_store.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";

/**
 * Returns the text of the result file: a list of τ-bench's `EnvRunResult`, in the order of tasks and trials. Episodes
 * that failed for reasons unrelated to the agent are omitted, although τ-bench records them with a reward of 0.
 * @throws {DataError} If the dataset lacks the task of an episode.
 */
export function tauBenchResults(dir: EvaluationDir, dataset: Dataset): string {
  const tasks = new Map(
    dataset.tasks(dir.config.split).map((task) => [task.id, task]),
  );
  const trials = new Map<string, number>();
  const results: JsonValue[] = [];
  const scored = dir.episodes().filter(({ reward }) => reward !== null);
  for (const episode of scored.sort((a, b) => a.group - b.group)) {
    const task = tasks.get(episode.taskId);
    if (task === undefined) {
      throw new DataError(
        `Cannot export the evaluation: the dataset no longer has the task "${episode.taskId}"`,
        { hint: "export with the dataset that the evaluation used" },
      );
    }
    const trial = trials.get(task.id) ?? 0;
    trials.set(task.id, trial + 1);
    const { messages } = dir.conversation(episode.id);
    results.push(tauBenchResult({ episode, task, trial, dataset, messages }));
  }
  return `${printPythonJson(results)}\n`;
}

/** The parts of an episode that the result file contains. */
export interface EpisodeParts {
  readonly episode: StoredEpisode;
  readonly task: Task;
  readonly trial: number;
  readonly dataset: Dataset;
  /** Messages as JSON, in the format of the episode store. */
  readonly messages: string;
}

/** Converts an episode to an `EnvRunResult`. */
export function tauBenchResult(
  { episode, task, trial, dataset, messages }: EpisodeParts,
): JsonObject {
  const actions = task.actions.map(actionOf);
  const reward = toFloat(episode.reward ?? 0);
  const detail = episode.rewardDetail;
  return object({
    task_id: task.index,
    reward,
    info: object({
      task: object({
        user_id: task.userId,
        actions,
        instruction: task.instruction,
        outputs: [...task.outputs],
      }),
      source: "user",
      user_cost: fromPlain(episode.usage?.user.cost ?? null),
      reward_info: object({
        reward,
        info: detail === null
          ? object({})
          : rewardInfo(detail, { dataset, task }),
        actions,
      }),
    }),
    traj: (parsePythonJson(messages) as JsonObject[]).map(messageOf),
    trial,
  });
}

function rewardInfo(
  reward: Reward,
  { dataset, task }: { dataset: Dataset; task: Task },
): JsonValue {
  return fromPlain(
    tauBenchRewardInfo({ gold: goldOf(dataset, task), task }, reward),
  );
}

function actionOf({ name, arguments: kwargs }: ToolAction): JsonValue {
  return object({ name, kwargs });
}

/** Converts a stored message to OpenAI's format. */
function messageOf(message: JsonObject): JsonValue {
  const role = textAt(message, "role");
  const content = textAt(message, "content");
  if (role === "tool") {
    return object({
      role,
      tool_call_id: textAt(message, "toolCallId"),
      name: textAt(message, "name"),
      content,
    });
  }
  if (!message.has("toolCalls")) return object({ role, content });
  return object({
    role,
    content: content === "" ? null : content,
    tool_calls: objectsAt(message, "toolCalls").map((call) =>
      object({
        id: textAt(call, "id"),
        type: "function",
        function: object({
          name: textAt(call, "name"),
          arguments: printPythonJson(call.get("arguments") ?? null),
        }),
      })
    ),
  });
}

function object(members: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(members));
}
