/** The user of a τ-bench task: opens with its prose, and tells exactly what they want, and who they are, when asked. */

import type { UserStart } from "../../../domain.ts";
import { createRng } from "../../../random.ts";
import type { User } from "../../../types.ts";
import { FactUser, identityAnswer } from "../../shared/user/fact_user.ts";
import { phraser } from "../../shared/user/wording.ts";
import { airlineBenchGoal, benchWords } from "./bench_goal.ts";
import { ID, idWords } from "./id_words.ts";

/** Makes the user. @throws {DataError} If the database lacks them. */
export function benchUser({ task, database, seed }: UserStart): User {
  const { goal, opening } = airlineBenchGoal(task, database);
  const say = phraser(createRng(seed, "scripted", task.id));
  return new FactUser({
    task,
    goal,
    opening,
    say,
    talk: {
      words: benchWords,
      topic: () => /./,
      facts: () => [],
      details: { id: ID },
      identity: (asked) =>
        asked.has("id")
          ? idWords(task.userId, say)
          : identityAnswer(goal.identity, { asked, say }),
    },
  });
}
