/** Writes an evaluation in which some episodes fail in known ways. */

import { expertAgent } from "../../env/agents/expert.ts";
import { rollout } from "../../env/rollout.ts";
import type { Episode, Task, Turn } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import { resolveBy } from "../../train/config/config.ts";
import { openDataset } from "../../train/config/open_dataset.ts";
import { evaluationSchema } from "../../train/evaluation/evaluation_config.ts";
import { EvaluationDir } from "../../train/evaluation/evaluation_dir.ts";
import { newRunInfo } from "../../train/runs/run_info.ts";

/** The config of the evaluation. */
const CONFIG = resolveBy(evaluationSchema, {
  name: "failed",
  text: `
    agent: expert
    data: { generated: { trainTasks: 1, devTasks: 1, testTasks: 6, refusedShare: 0, twoIntentShare: 0,
      intents: { question: 0 } } }
  `,
});

/**
 * Writes an evaluation of six episodes to `path`. Two are played by the expert, two end before their write, one cancels
 * an order that nobody asked about, and one has an infrastructure failure.
 */
export async function writeFailedRun(path: string): Promise<void> {
  const dataset = await openDataset(CONFIG.data);
  const now = new Date(0);
  const info = await newRunInfo({ kind: "evaluate", seed: 1, dataset, now });
  await using dir = await EvaluationDir.create(path, { config: CONFIG, info });
  await dir.begin(now);
  const foreign = orderOf(dataset.tasks("train")[0]);
  for (const task of dataset.tasks("test")) {
    const episode = await rollout({
      dataset,
      task,
      agent: expertAgent({ prompt: "none" }),
      user: scriptedUser(dataset),
      userName: "scripted",
      seed: 1,
      now: () => 0,
    });
    dir.add({ episode: spoilt(episode, task, foreign), task: task.index }, 0);
  }
  await dir.end({ outcome: "completed", now, wallS: 1, peakRssBytes: 1 });
}

/** Returns the first order id in a task's gold actions. */
function orderOf(task: Task | undefined): string {
  const ids = task?.actions.map(({ arguments: args }) => args.get("order_id"));
  return String(ids?.find((id) => typeof id === "string"));
}

function spoilt(episode: Episode, { index }: Task, foreign: string): Episode {
  const last = episode.turns.findIndex(({ action }) =>
    action.type === "tool" && /^(cancel|return|exchange|modify)/.test(
      action.call.name,
    )
  );
  const none = { ...episode, reward: zero(episode), reason: null };
  if (index < 2) return episode;
  if (index < 4) return { ...none, turns: episode.turns.slice(0, last) };
  if (index === 4) return { ...none, turns: [cancel(foreign)] };
  return {
    ...none,
    reward: null,
    stopReason: "failed",
    failure: { kind: "timeout", source: "user", message: "no answer in 60 s" },
  };
}

function zero({ reward }: Episode) {
  return reward === null ? null : { ...reward, value: 0 };
}

/**
 * Returns a turn in which the agent calls the tool that cancels an order. The call has no effect unless the order is
 * pending.
 */
function cancel(order: string): Turn {
  const args = new Map([["order_id", order], ["reason", "no longer needed"]]);
  return {
    action: {
      type: "tool",
      call: { id: "c", name: "cancel_pending_order", arguments: args },
    },
    observation: { source: "tool", content: "", done: false },
  };
}
