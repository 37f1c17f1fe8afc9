/**
 * Derives goals for a benchmark's tasks, because the benchmark provides none. A goal is derived from the task's
 * instruction, the gold actions, and the user's row in the database.
 */

import type { Database } from "../../../database.ts";
import { DataError } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Task } from "../../../types.ts";
import { row, text } from "../read_row.ts";
import { firstPerson } from "../user/first_person.ts";
import type { Goal, Identity, Request } from "./goal.ts";

/**
 * A derived goal, and the user's first message: the instruction in the first person, or `undefined` if the instruction
 * is machine-generated or contains nothing that the user can say.
 */
export interface BenchGoal<R extends Request> {
  readonly goal: Goal<R> & { readonly identity: Identity };
  readonly opening: string | undefined;
}

/** A request for information. */
type Question = Request & { readonly intent: "question" };

/**
 * Derives the goal of `task`: the requests that its gold writes fulfill, followed by a question if the task has
 * outputs, if the task is judged and its instruction asks for information, or if there are no other requests.
 * @param requestsOf Returns the requests that the gold writes fulfill, in order, given the user's row. Default: none.
 * @throws {DataError} If the task's user is not in the database.
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
      `User "${task.userId}" of task "${task.id}" is not in the database`,
      { hint: "use tasks and a database from the same dataset" },
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

/** The prefix of a question that consists of sentences from the instruction. */
const PROSE = "answer to this: ";

/** Checks whether a request is a question that is quoted from an instruction. */
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
