/**
 * The scripted user of the retail domain. It pursues the task's goal. If the task has no goal, as in τ-bench, a goal is
 * derived from the instruction, the gold actions and the user's profile.
 */

import type { UserStart } from "../../../domain.ts";
import { createRng } from "../../../random.ts";
import type { User } from "../../../types.ts";
import { FactUser, identityAnswer } from "../../shared/user/fact_user.ts";
import { phraser } from "../../shared/user/wording.ts";
import type { Intent, RetailRequest, RetailTask } from "../goal/request.ts";
import { retailBenchGoal } from "./bench_goal.ts";
import { factsOf } from "./facts.ts";
import { knowledgeOf } from "./knowledge.ts";
import { requestWords } from "./request_words.ts";

/**
 * Creates the scripted user for a retail task.
 * @throws {DataError} If the task has no goal and its user is not in the database.
 */
export function retailUser(
  { task, database, seed }: UserStart & { readonly task: RetailTask },
): User {
  const { goal, opening } = task.goal === undefined
    ? retailBenchGoal(task, database)
    : { goal: task.goal, opening: undefined };
  const say = phraser(createRng(seed, "scripted", task.id), {
    wording: goal.wording,
    part: goal.phrasings,
  });
  const knowledge = knowledgeOf(database, task.userId);
  return new FactUser({
    task,
    goal,
    opening,
    say,
    talk: {
      words: requestWords,
      topic: ({ intent }) => TOPIC[intent],
      facts: (request) => factsOf(request, knowledge),
      identity: (asked) => identityAnswer(goal.identity, { asked, say }),
      proposesOther,
    },
  });
}

const TOPIC: Readonly<Record<Intent, RegExp>> = {
  cancel: /cancel/,
  return: /return|refund/,
  exchange: /exchang|replac|swap/,
  modify_items: /chang|modif|updat|exchang|swap/,
  modify_address: /address|ship|chang|updat|modif/,
  modify_payment: /pay|chang|updat|modif|charge/,
  user_address: /address|chang|updat|modif/,
  question: /./,
};

const VERBS: readonly (readonly [RegExp, readonly Intent[]])[] = [
  [/\bcancel/, ["cancel"]],
  [/\breturn/, ["return"]],
  [/\b(exchang|swap)/, ["exchange", "modify_items"]],
];

/**
 * Checks whether an agent's message proposes a different kind of action from the one that the user wants. Only
 * cancellations, returns, exchanges and changes of items are distinguished.
 */
function proposesOther(text: string, { intent }: RetailRequest): boolean {
  const meant = VERBS.filter(([pattern]) => pattern.test(text));
  return meant.length > 0 && intent !== "question" &&
    VERBS.some(([, intents]) => intents.includes(intent)) &&
    !meant.some(([, intents]) => intents.includes(intent)) &&
    !OWN_VERB[intent]?.test(text);
}

const OWN_VERB: Partial<Record<Intent, RegExp>> = {
  modify_items: /\b(chang|modif|updat)/,
  exchange: /\b(chang|replac)/,
  return: /\brefund/,
};
