/**
 * The certificate of a generated task: the results of six checks that a program performs when the task is drawn. A task
 * that fails a check is rejected and drawn again.
 *
 * 1. `gold`: the gold actions replay without an error, and each write has its expected effect;
 * 2. `policy`: the oracle allows each write, and forbids the requests that the task refuses;
 * 3. `solvable`: each argument is in the instruction or in the results of earlier gold reads;
 * 4. `unique`: every allowed call sequence that fulfills the instruction ends in the same state;
 * 5. `strict`: the do-nothing baseline, a transfer, a wrong write and an additional write score 0;
 * 6. `expert`: the expert scores 1 with the scripted user.
 */

import { replayGold } from "../../audit/gold_replay.ts";
import { partOf } from "../../domain.ts";
import { domainOf } from "../../domains/registry.ts";
import type { Goal } from "../../domains/shared/goal/goal.ts";
import { goldOf } from "../../gold.ts";
import type { Dataset, Task, UserFactory } from "../../types.ts";
import { scriptedUser } from "../../users/scripted.ts";
import { type ExpertEvidence, expertPart } from "./expert_part.ts";
import { type GoldEvidence, goldPart } from "./gold_part.ts";
import { type PolicyEvidence, policyPart } from "./policy_part.ts";
import { type SolvableEvidence, solvablePart } from "./solvable_part.ts";
import { type StrictEvidence, strictPart } from "./strict_part.ts";
import { Rejection, type Subject } from "./subject.ts";
import { type UniqueEvidence, uniquePart } from "./unique_part.ts";

export { Rejection } from "./subject.ts";

/** The results of all six checks of a task, as plain JSON. */
export interface Certificate {
  /** The version of the checks. It is incremented when a check changes. */
  readonly version: 1;
  readonly gold: GoldEvidence;
  readonly policy: PolicyEvidence;
  readonly solvable: SolvableEvidence;
  readonly unique: UniqueEvidence;
  readonly strict: StrictEvidence;
  readonly expert: ExpertEvidence;
}

/** A function that certifies a task of a dataset, or rejects it. */
export type Certifier = (task: Task) => Promise<Certificate | Rejection>;

/** Options for {@linkcode createCertifier}. */
export interface CertifierOptions {
  /** Creates the user for the expert's episode. Default: the scripted user. */
  readonly user?: UserFactory;
  /**
   * Returns the task as it is used in episodes: without its goal if only the certificate needs the goal. Default:
   * returns the task unchanged.
   */
  readonly toEpisodeTask?: ((task: Task) => Task) | undefined;
}

/**
 * Creates the certifier for a dataset's tasks. The certifier is deterministic: the same task always gets the same
 * certificate.
 * @throws {MissingPartError} If the domain has no goals or no scripted user.
 */
export function createCertifier(
  dataset: Dataset,
  { user = scriptedUser(dataset), toEpisodeTask = (task) => task }:
    CertifierOptions = {},
): Certifier {
  const domain = domainOf(dataset);
  const goals = partOf(domain, "goals");
  return async (one) => {
    const task = one as Task<Goal>;
    const { goal } = task;
    if (goal === undefined) {
      return new Rejection("unique", {
        reason: "the task has no goal",
        evidence: task.id,
      });
    }
    const steps = replayGold(task, dataset);
    const gold = goldOf(dataset, task);
    const subject = { dataset, task, goal, domain, goals, steps, gold };
    return await certify(subject, { user, toEpisodeTask });
  };
}

/** Runs the checks in order of cost. The cheapest checks reject most tasks. */
async function certify(
  subject: Subject,
  { user, toEpisodeTask }: {
    readonly user: UserFactory;
    readonly toEpisodeTask: (task: Task) => Task;
  },
): Promise<Certificate | Rejection> {
  const gold = goldPart(subject);
  if (gold instanceof Rejection) return gold;
  const policy = policyPart(subject);
  if (policy instanceof Rejection) return policy;
  const solvable = solvablePart(subject);
  if (solvable instanceof Rejection) return solvable;
  const unique = uniquePart(subject);
  if (unique instanceof Rejection) return unique;
  const strict = strictPart(subject);
  if (strict instanceof Rejection) return strict;
  const played = {
    ...subject,
    task: toEpisodeTask(subject.task) as Task<Goal>,
  };
  const expert = await expertPart(played, user);
  if (expert instanceof Rejection) return expert;
  return { version: 1, gold, policy, solvable, unique, strict, expert };
}
