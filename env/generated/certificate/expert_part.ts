/**
 * Part 6: the expert scores 1 with the scripted user, the user makes no mistake, and each request with outputs has an
 * output that occurs in only one of the agent's messages.
 */

import { expertAgent } from "../../agents/expert.ts";
import { agentMessagesIn } from "../../environment.ts";
import { isOutputTold } from "../../reward.ts";
import { rollout } from "../../rollout.ts";
import type { Episode, UserFactory } from "../../types.ts";
import { Rejection, type Subject } from "./subject.ts";

/** The outcome of the expert's conversation. */
export interface ExpertEvidence {
  readonly turns: number;
}

/** The maximum number of turns that the expert may take. No generated task needs that many. */
const MAX_TURNS = 90;

const EXPERT = expertAgent({ prompt: "none" });

/** Runs an episode with the expert and the user, and checks that the expert succeeds. */
export async function expertPart(
  { dataset, task, goal }: Subject,
  user: UserFactory,
): Promise<ExpertEvidence | Rejection> {
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
  if (failure !== null) {
    return rejection("the expert's episode fails", failure.message);
  }
  if (stopReason !== "user_stop") {
    return rejection("the user does not end the conversation", stopReason);
  }
  if (reward?.value !== 1) {
    const { differences = [], missingOutputs = [] } = reward ?? {};
    return rejection(
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
    return rejection(
      `the user makes a mistake (${fault.fault})`,
      `message ${fault.message}: ${fault.evidence}`,
    );
  }
  const loose = goal.requests.find(({ outputs = [] }) =>
    outputs.length > 0 && !outputs.some((output) => isToldOnce(output, episode))
  );
  return loose === undefined ? { turns: episode.turns.length } : rejection(
    "an output is matched by accident",
    loose.outputs?.join(", ") ?? "",
  );
}

/** Checks whether exactly one of the agent's messages contains the output, not counting repetitions of it. */
function isToldOnce(output: string, { turns }: Episode): boolean {
  const told = agentMessagesIn(turns).filter((text) =>
    isOutputTold(output, [text])
  );
  return new Set(told).size === 1;
}

function rejection(reason: string, evidence: string): Rejection {
  return new Rejection("expert", { reason, evidence });
}
