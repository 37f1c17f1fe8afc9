/**
 * The scripted user for a τ-bench task. It opens the conversation with the task's instruction in the first person, and
 * states its requests and identity when asked.
 */

import type { UserStart } from "../../../domain.ts";
import { createRng } from "../../../random.ts";
import type { User } from "../../../types.ts";
import { FactUser, identityAnswer } from "../../shared/user/fact_user.ts";
import { phraser } from "../../shared/user/wording.ts";
import { airlineBenchGoal, benchWords } from "./bench_goal.ts";
import { ID, idWords } from "./id_words.ts";

/**
 * Creates the scripted user for a τ-bench task.
 * @throws {DataError} If the user is not in the database.
 */
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
