/** Diagnoses why an episode failed: what differs, the first decisive error, and the party at fault. Uses no model. */

import type { Dataset, Failure, Reward, Task, UserFinding } from "../types.ts";
import {
  type DecisiveError,
  type DiagnosedEpisode,
  replayEpisode,
  type Write,
} from "./decisive.ts";
import { type Fault, faultOf } from "./blame.ts";

export type { DecisiveError, DiagnosedEpisode, Write } from "./decisive.ts";
export type { Fault, FaultyParty } from "./blame.ts";

/** The diagnosis of an episode. */
export interface Diagnosis {
  /** The reward, including the rows and outputs that are wrong; `null` if the infrastructure failed. */
  readonly reward: Reward | null;
  /** The calls that changed a database, each with the agent's database after the call. */
  readonly writes: readonly Write[];
  /**
   * The first decisive error; `null` if the reward is 1 or requires a judge's verdict that was not recorded, or if the
   * infrastructure failed.
   */
  readonly decisive: DecisiveError | null;
  /** The party at fault and the rule that decided it; `null` if the reward is 1. */
  readonly fault: Fault | null;
}

/** Options for {@linkcode diagnose}: the dataset, the task, and further parts of the episode's record. */
export interface DiagnoseOptions {
  readonly dataset: Dataset;
  readonly task: Task;
  readonly failure?: Failure | null;
  readonly findings?: readonly UserFinding[] | null;
}

/**
 * Diagnoses an episode by replaying its calls.
 * @param options.dataset The dataset of the episode. Its fingerprint must equal the run's.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { expertAgent } from "../agents/expert.ts";
 * import { generated } from "../generated/generated.ts";
 * import { rollout } from "../rollout.ts";
 * import { scriptedUser } from "../users/scripted.ts";
 * import { diagnose } from "./diagnose.ts";
 *
 * const dataset = await generated(1, { refusedShare: 0, intents: { question: 0 } });
 * const task = dataset.tasks("test")[0]!;
 * const user = scriptedUser(dataset);
 * const spec = { dataset, task, agent: expertAgent(), user, seed: 1 };
 * // Truncated before the expert has done what was asked.
 * const episode = await rollout({ ...spec, maxTurns: 2 });
 * const { fault, decisive } = diagnose(episode, { dataset, task, ...episode });
 * equal(fault?.by, "agent");
 * equal(decisive?.kind, "ending");
 * ```
 */
export function diagnose(
  episode: DiagnosedEpisode,
  { dataset, task, failure = null, findings = null }: DiagnoseOptions,
): Diagnosis {
  const { stopReason } = episode;
  const replay = replayEpisode(episode, { dataset, task });
  const reward = failure === null ? replay.reward : null;
  const decisive = failure === null ? replay.decisive : null;
  const fault = faultOf({
    dataset,
    task,
    reward,
    failure,
    stopReason,
    decisive,
    findings,
    ...replay.refused && { refused: replay.refused },
  });
  return { reward, writes: replay.writes, decisive, fault };
}
