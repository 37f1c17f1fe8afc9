/**
 * The goal of a benchmark's task, which has none of its own: derived from its instruction, its gold actions and what
 * the user knows of themselves (their row in the database).
 */

import type { Database } from "../../../database.ts";
import { DataError } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Task } from "../../../types.ts";
import { row, text } from "../read_row.ts";
import { firstPerson } from "../user/first_person.ts";
import type { Goal, Identity, Request } from "./goal.ts";

/** A derived goal, and the words that open the conversation where the instruction has some. */
export interface BenchGoal<R extends Request> {
  readonly goal: Goal<R> & { readonly identity: Identity };
  readonly opening: string | undefined;
}

/** A request that asks for something to be told. */
type Question = Request & { readonly intent: "question" };

/**
 * Derives the goal of `task`: its requests, and a question where something must be told. Where neither is there, the
 * instruction itself is the question.
 * @param requestsOf The requests that the gold writes stand for, in order. Default: none.
 * @throws {DataError} If the database lacks the task's user.
 */
export function benchGoal<R extends Request = Question>(
  task: Task,
  { database, requestsOf = () => [] }: {
    readonly database: Database;
    readonly requestsOf?: (user: JsonObject) => readonly R[];
  },
): BenchGoal<R | Question> {
  const user = database.get("users", task.userId);
  if (user === undefined) {
    throw new DataError(
      `Task "${task.id}" is of user "${task.userId}", whom the database lacks`,
      { hint: "use the tasks and the database of one dataset" },
    );
  }
  const requests: (R | Question)[] = [...requestsOf(user)];
  const prose = firstPerson(task.instruction);
  const asks = task.outputs.length > 0 ||
    task.isJudged && prose.questions !== "";
  if (asks || requests.length === 0) {
    const question = prose.questions || prose.all || "what can i do?";
    requests.push({ intent: "question", question: PROSE + trimEnd(question) });
  }
  return {
    goal: { identity: identityOf(user, task.instruction), requests },
    opening: prose.synthetic || prose.all === "" ? undefined : prose.all,
  };
}

/** What goes before a question that is a sentence of its own. */
const PROSE = "answer to this: ";

/** Whether a request is a question in the words of an instruction. */
export function isProse({ question }: Request): boolean {
  return question?.startsWith(PROSE) === true;
}

function identityOf(user: JsonObject, instruction: string): Identity {
  const name = row(user, "name");
  const email = text(user, "email");
  return {
    firstName: text(name, "first_name"),
    lastName: text(name, "last_name"),
    zip: text(row(user, "address"), "zip"),
    email,
    prefers: instruction.includes(email) ? "email" : "name_zip",
  };
}

function trimEnd(words: string): string {
  return words.replace(/(?<![\s.?!])[\s.?!]+$/, "");
}
