/**
 * The certificate of a generated task: six parts, each checked by a program when the task is made, and what they came
 * to. A task that fails one is refused, and another is drawn in its place.
 *
 * 1. `gold`: it replays without an error, and each write changes what it should;
 * 2. `policy`: the oracle allows each write, and forbids what the task has refused;
 * 3. `solvable`: each argument is in the instruction or in what reads show that start from it;
 * 4. `unique`: every allowed way to what the words mean ends in the same state;
 * 5. `strict`: doing nothing, handing over, a wrong write and one too many score 0;
 * 6. `expert`: the expert scores 1 through the scripted user.
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
import { Refusal, type Subject } from "./subject.ts";
import { type UniqueEvidence, uniquePart } from "./unique_part.ts";

export { Refusal } from "./subject.ts";

/** What the parts came to. Plain JSON. */
export interface Certificate {
  /** Of what is checked; raised when a part changes. */
  readonly version: 1;
  readonly gold: GoldEvidence;
  readonly policy: PolicyEvidence;
  readonly solvable: SolvableEvidence;
  readonly unique: UniqueEvidence;
  readonly strict: StrictEvidence;
  readonly expert: ExpertEvidence;
}

/** Certifies a task of a dataset. */
export type Certifier = (task: Task) => Promise<Certificate | Refusal>;

/** How tasks are certified. */
export interface CertifierOptions {
  /** Default: the scripted user. */
  readonly user?: UserFactory;
  /** A task as it is played, where its goal is for the certificate alone. Default: as it is. */
  readonly handOut?: ((task: Task) => Task) | undefined;
}

/**
 * Makes what certifies the tasks of a dataset. Pure: the same task gets the same certificate.
 * @throws {MissingPartError} If the domain has no goals, or no scripted user.
 */
export function createCertifier(
  dataset: Dataset,
  { user = scriptedUser(dataset), handOut = (task) => task }: CertifierOptions =
    {},
): Certifier {
  const domain = domainOf(dataset);
  const goals = partOf(domain, "goals");
  return async (one) => {
    const task = one as Task<Goal>;
    const { goal } = task;
    if (goal === undefined) {
      return new Refusal("unique", {
        reason: "the task has no goal",
        evidence: task.id,
      });
    }
    const steps = replayGold(task, dataset);
    const gold = goldOf(dataset, task);
    const subject = { dataset, task, goal, domain, goals, steps, gold };
    return await certify(subject, { user, handOut });
  };
}

/** Cheap parts first: most refusals are found by them. */
async function certify(
  subject: Subject,
  { user, handOut }: {
    readonly user: UserFactory;
    readonly handOut: (task: Task) => Task;
  },
): Promise<Certificate | Refusal> {
  const gold = goldPart(subject);
  if (gold instanceof Refusal) return gold;
  const policy = policyPart(subject);
  if (policy instanceof Refusal) return policy;
  const solvable = solvablePart(subject);
  if (solvable instanceof Refusal) return solvable;
  const unique = uniquePart(subject);
  if (unique instanceof Refusal) return unique;
  const strict = strictPart(subject);
  if (strict instanceof Refusal) return strict;
  const played = { ...subject, task: handOut(subject.task) as Task<Goal> };
  const expert = await expertPart(played, user);
  if (expert instanceof Refusal) return expert;
  return { version: 1, gold, policy, solvable, unique, strict, expert };
}
