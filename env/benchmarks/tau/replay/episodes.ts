/** Replays whole conversations with a user that repeats recorded answers. */

import { goldOf } from "../../../gold.ts";
import { equalityKey } from "../../../python/python_object.ts";
import type { Dataset, Task } from "../../../types.ts";
import { checkObservation } from "./calls.ts";
import type { Checker } from "./mismatch.ts";
import type { EpisodeStep, RecordOf } from "./recording.ts";
import { checkRewardInfo } from "./reward_info.ts";
import { TauBenchEpisode, type TauBenchStep } from "./tau_bench_episode.ts";

/** The dataset, task and checker for the replay of a conversation. */
export interface EpisodeContext {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly checker: Checker;
}

/**
 * Replays a scripted episode, including the steps after its end, and checks the observations, rewards, final state and
 * log.
 */
export async function replayFuzzReward(
  record: RecordOf<"fuzz_reward">,
  context: EpisodeContext,
): Promise<void> {
  const { checker } = context;
  const episode = await replaySteps(record.steps, {
    ...context,
    firstMessage: record.first_user_message,
  });
  checker.equal("final_data_hash", {
    expected: record.final_data_hash,
    got: episode.database.hash(),
  });
  checker.equal("actions_logged", {
    expected: record.actions_logged,
    got: episode.log,
  });
}

/** Replays a model's episode and checks the observations, the scored state and the reward. */
export async function replayTrajectory(
  record: RecordOf<"trajectories">,
  context: EpisodeContext,
): Promise<void> {
  const steps = record.steps.map((step, i): EpisodeStep => {
    const isScored = i === record.steps.length - 1 && record.ended_done;
    return {
      ...step,
      ...step.action,
      source: step.action.name === "respond" ? "user" : step.action.name,
      user_reply: step.observation,
      reward_info: isScored ? record.reward_info ?? undefined : undefined,
      data_hash_before_reward: isScored
        ? record.data_hash_before_reward ?? undefined
        : undefined,
    };
  });
  const episode = await replaySteps(steps, { ...context, firstMessage: "" });
  if (record.ended_done || !record.data_hash_before_reward) return;
  context.checker.equal("data_hash_before_reward", {
    expected: record.data_hash_before_reward,
    got: episode.database.hash(),
  });
}

async function replaySteps(
  steps: readonly EpisodeStep[],
  { dataset, task, checker, firstMessage }: EpisodeContext & {
    firstMessage: string;
  },
): Promise<TauBenchEpisode> {
  const episode = new TauBenchEpisode(dataset, task);
  await episode.open(firstMessage);
  for (const [i, step] of steps.entries()) {
    const got = await episode.step(step, step.user_reply ?? "");
    checkStep(step, { got, dataset, task, checker, number: i + 1 });
  }
  return episode;
}

function checkStep(
  step: EpisodeStep,
  { got, dataset, task, checker, number }: EpisodeContext & {
    got: TauBenchStep;
    number: number;
  },
): void {
  checker.equal("step_raised", {
    expected: step.step_raised !== undefined,
    got: got.raised,
    step: number,
  });
  if (step.step_raised !== undefined || got.raised) return;
  const { observation, score } = got;
  checkObservation(step, { got: observation.content, checker, number });
  checker.equal("source", {
    expected: step.source ?? "user",
    got: observation.source === "user" ? "user" : step.name,
    step: number,
  });
  checker.equal("done", {
    expected: step.done ?? false,
    got: observation.done,
    step: number,
  });
  checker.equal("reward", {
    expected: step.reward ?? 0,
    got: score?.reward.value ?? 0,
    step: number,
  });
  if (score === undefined) return;
  checker.equal("data_hash_before_reward", {
    expected: step.data_hash_before_reward,
    got: score.stateHash,
    step: number,
  });
  if (step.reward_info === undefined) return;
  checkRewardInfo(step.reward_info, {
    checker,
    outcome: { gold: goldOf(dataset, task), task },
    reward: score.reward,
    step: number,
  });
}

/** Checks whether `actions` are the task's gold actions. */
export function isGoldOf(
  task: Task | undefined,
  actions: RecordOf<"trajectories">["steps"][number]["action"][],
): boolean {
  return task !== undefined && task.actions.length === actions.length &&
    task.actions.every(({ name, arguments: args }, i) => {
      const action = actions[i];
      return action !== undefined && action.name === name &&
        equalityKey(action.kwargs) === equalityKey(args);
    });
}
