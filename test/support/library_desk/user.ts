/** Implements the scripted user of the library, who is a reader. */

import type { UserStart } from "../../../env/domain.ts";
import { FactUser } from "../../../env/domains/shared/user/fact_user.ts";
import { phraser } from "../../../env/domains/shared/user/wording.ts";
import { createRng } from "../../../env/random.ts";
import type { Task, User } from "../../../env/types.ts";
import type { LibraryGoal, LibraryRequest } from "./goals.ts";

/** Returns the text of a request, which follows "i want to" or, in a question, "what is the". */
export function wordsOf({ intent, title, forthcoming }: LibraryRequest) {
  const book = forthcoming === true ? `the book ${title}` : "a book";
  return intent === "question" ? `due date of ${book}` : `renew ${book}`;
}

/** Creates a scripted user who is a reader. */
export function reader(
  { task, seed }: UserStart & { readonly task: Task<LibraryGoal> },
): User {
  const { goal = { requests: [] }, userId } = task;
  const say = phraser(createRng(seed, "scripted", task.id), goal);
  return new FactUser({
    task,
    goal,
    say,
    talk: {
      words: wordsOf,
      topic: ({ intent }) => intent === "renew" ? /renew/ : /./,
      details: { card: /\bcard\b/, book: /\bwhich book\b|\btitle\b/ },
      identity: (asked) =>
        asked.has("card") ? `my card is ${userId}.` : undefined,
      facts: ({ title }) => [{
        kind: "book",
        words: (say) => say([`${title}.`, `it is ${title}.`]),
        contradictedBy: () => false,
      }],
    },
  });
}
