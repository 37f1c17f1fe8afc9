/**
 * Part 6: the expert scores 1 through the scripted user, who makes no mistake, and tells what must be told once,
 * where it is asked for.
 */

import { expertAgent } from "../../agents/expert.ts";
import { saidIn } from "../../environment.ts";
import { wasSaid } from "../../reward.ts";
import { rollout } from "../../rollout.ts";
import type { Episode, UserFactory } from "../../types.ts";
import { Refusal, type Subject } from "./subject.ts";

/** How the expert's conversation went. */
export interface ExpertEvidence {
  readonly turns: number;
}

/** Most turns of the expert; above what any generated task takes. */
const MAX_TURNS = 90;

const EXPERT = expertAgent({ prompt: "none" });

/** Lets the expert serve the user. */
export async function expertPart(
  { dataset, task, goal }: Subject,
  user: UserFactory,
): Promise<ExpertEvidence | Refusal> {
  const episode = await rollout({
    dataset,
    task,
    user,
    agent: EXPERT,
    userName: "scripted",
    seed: 0,
    maxTurns: MAX_TURNS,
    now: () => 0,
  });
  const { failure, stopReason, reward, findings } = episode;
  if (failure !== null) return refusal("the expert fails", failure.message);
  if (stopReason !== "user_stop") {
    return refusal("the user does not end the conversation", stopReason);
  }
  if (reward?.value !== 1) {
    const { differences = [], missingOutputs = [] } = reward ?? {};
    return refusal(
      "the expert scores 0",
      [
        ...differences.map(({ table, id }) => `${table}/${id}`),
        ...missingOutputs,
      ]
        .join(", "),
    );
  }
  const [fault] = findings ?? [];
  if (fault !== undefined) {
    return refusal(
      `the user's ${fault.fault}`,
      `message ${fault.message}: ${fault.evidence}`,
    );
  }
  const loose = goal.requests.find(({ outputs = [] }) =>
    outputs.length > 0 && !outputs.some((output) => isToldOnce(output, episode))
  );
  return loose === undefined
    ? { turns: episode.turns.length }
    : refusal("an output is told by accident", loose.outputs?.join(", ") ?? "");
}

/** Whether one message alone has it; a message may be said again. */
function isToldOnce(output: string, { turns }: Episode): boolean {
  const told = saidIn(turns).filter((text) => wasSaid(output, [text]));
  return new Set(told).size === 1;
}

function refusal(reason: string, evidence: string): Refusal {
  return new Refusal("expert", { reason, evidence });
}
