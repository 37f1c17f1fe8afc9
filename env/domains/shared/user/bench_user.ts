/** The user of a benchmark's task of which only the prose is known: they say it, and tell who they are when asked. */

import { createRng } from "../../../random.ts";
import type { User } from "../../../types.ts";
import type { UserStart } from "../../../domain.ts";
import { benchGoal } from "../goal/bench_goal.ts";
import { FactUser, identityAnswer } from "./fact_user.ts";
import { phraser } from "./wording.ts";

/** Makes the user. @throws {DataError} If the database lacks them. */
export function benchUser({ task, database, seed }: UserStart): User {
  const { goal, opening } = benchGoal(task, { database });
  const say = phraser(createRng(seed, "scripted", task.id));
  return new FactUser({
    task,
    goal,
    opening,
    say,
    talk: {
      words: ({ question = "answer" }) => question,
      topic: () => /./,
      facts: () => [],
      identity: (asked) => identityAnswer(goal.identity, { asked, say }),
    },
  });
}
