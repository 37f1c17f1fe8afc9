/**
 * Replays the calls in τ-bench's result files and published trajectories, and compares tool results and rewards. If a
 * task has changed since it was recorded, the gold actions in the file are used.
 */

import { goldOf } from "../../../gold.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Dataset } from "../../../types.ts";
import { mapOf, textOf } from "../../results/loose_json.ts";
import type { ResultRecord } from "../results/result_file.ts";
import type { TaskFinder } from "../results/result_tasks.ts";
import { Checker, type Mismatch } from "./mismatch.ts";
import { TauBenchEpisode, type TauBenchStep } from "./tau_bench_episode.ts";

/** The result of replaying one episode. */
export interface ReplayedResult {
  readonly steps: number;
  /** The reason why the episode was not replayed; absent if it was replayed. */
  readonly skipped?: string;
  /** Mismatches in rewards, outputs and the end of the conversation, which a different dataset cannot explain. */
  readonly mismatches: readonly Mismatch[];
  /** Mismatches in tool results and states, which a different dataset may explain. */
  readonly dataMismatches: readonly Mismatch[];
  /**
   * Whether the gold state equals the recorded gold state; `null` if none was recorded, or the episode was not
   * replayed.
   */
  readonly hasSameGold: boolean | null;
}

/** Replays one episode from a result file. */
export async function replayResult(
  record: ResultRecord,
  { dataset, find, path }: {
    readonly dataset: Dataset;
    readonly find: TaskFinder;
    readonly path: string;
  },
): Promise<ReplayedResult> {
  const { failure, number } = record;
  if (failure !== null) {
    return skipped(
      `failed when it was recorded: ${firstLine(failure.message)}`,
    );
  }
  const known = find(record);
  if (known === null || known.dataset !== dataset) {
    return skipped("refers to a task that is in neither the data nor the file");
  }
  const actions = record.turns.map(actionIn);
  const odd = actions.findIndex(({ kwargs }) => kwargs === null);
  if (odd >= 0) {
    return skipped(`has a call without arguments in turn ${odd + 1}`);
  }
  const at = { path, record: number, label: labelOf(record) };
  const [checker, dataMismatches] = [new Checker(at), new Checker(at)];
  const episode = new TauBenchEpisode(dataset, known.task);
  await episode.open(record.opening);
  let last: TauBenchStep | undefined;
  for (const [i, { name, kwargs }] of actions.entries()) {
    const answer = textOf(
      mapOf(record.turns[i]?.get("observation")),
      "content",
    );
    const step = i + 1;
    last = await episode.step({ name, kwargs: kwargs! }, answer);
    const { content, done } = last.observation;
    // The wording of internal Python errors may differ.
    if (!(answer.startsWith("Error: ") && content.startsWith("Error: "))) {
      dataMismatches.equal("observation", {
        expected: answer,
        got: content,
        step,
      });
    }
    if (step < actions.length) {
      checker.equal("done", { expected: false, got: done, step });
    }
  }
  const score = last?.score?.reward;
  checker.equal("reward", {
    expected: record.reward?.value,
    got: score?.value ?? 0,
  });
  if (record.reward?.parts.outputs != null && score !== undefined) {
    checker.equal("outputs", {
      expected: record.reward.missingOutputs,
      got: score.missingOutputs,
    });
  }
  const { goldHash } = record;
  const hash = goldHash === null ? null : goldOf(dataset, known.task).hash();
  dataMismatches.equal("gt_data_hash", { expected: goldHash, got: hash });
  return {
    steps: actions.length,
    mismatches: checker.mismatches,
    dataMismatches: dataMismatches.mismatches,
    hasSameGold: hash === null ? null : hash === goldHash,
  };
}

function skipped(why: string): ReplayedResult {
  const nothing = {
    steps: 0,
    mismatches: [],
    dataMismatches: [],
    hasSameGold: null,
  };
  return { ...nothing, skipped: why };
}

function labelOf({ task, trial }: ResultRecord): string {
  return `task ${task}, trial ${trial}`;
}

function actionIn(
  turn: JsonObject,
): { name: string; kwargs: JsonObject | null } {
  const action = mapOf(turn.get("action"));
  const call = action.get("call");
  if (!(call instanceof Map)) {
    const kwargs = new Map([["content", textOf(action, "content")]]);
    return { name: "respond", kwargs };
  }
  const args = call.get("arguments");
  return {
    name: textOf(call, "name"),
    kwargs: args instanceof Map ? args : null,
  };
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
