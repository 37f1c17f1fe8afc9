/** Defines the goals of readers, and the calls that achieve them. */

import type { Database } from "../../../env/database.ts";
import type { GoalsPart, RequestContext } from "../../../env/domain.ts";
import type { Goal, Request } from "../../../env/domains/shared/goal/goal.ts";
import { text, texts } from "../../../env/domains/shared/read_row.ts";
import type { Task, ToolAction } from "../../../env/types.ts";

/** The goal of a reader. */
export type LibraryGoal = Goal<LibraryRequest>;

/** A request of a reader, who wants to renew a book or to know when a book is due. */
export interface LibraryRequest extends Request {
  readonly intent: "renew" | "question";
  readonly title: string;
}

/** Returns a tool call with one argument. */
export function call(name: string, argument: string, id: string): ToolAction {
  return { name, arguments: new Map([[argument, id]]) };
}

function candidateBooks(
  { request, database, userId }: RequestContext<LibraryRequest>,
) {
  return texts(database.get("users", userId), "books").filter((id) =>
    text(database.get("books", id), "title") === request.title
  );
}

function requiredReads(
  task: Task<LibraryGoal>,
  database: Database,
): ToolAction[] {
  const { userId, goal } = task;
  const books = (goal?.requests ?? []).flatMap((request) =>
    candidateBooks({ request, database, userId })
  );
  return [
    call("get_user_details", "user_id", userId),
    ...books.map((id) => call("get_book_details", "book_id", id)),
  ];
}

/** The `goals` part of the library domain. */
export const libraryGoals = {
  tools: { renew: "renew_book" },
  fulfillingCalls: (context) =>
    context.request.intent === "question"
      ? []
      : candidateBooks(context).map((id) => call("renew_book", "book_id", id)),
  effectError({ arguments: args }, { before, after }) {
    const changed = before.diff(after).map(({ table, id }) => `${table}/${id}`);
    const wanted = `books/${args.get("book_id")}`;
    return changed.join() === wanted ? null : `${changed} instead of ${wanted}`;
  },
  requiredReads,
  wrongWrites: ({ userId, actions }, database) =>
    texts(database.get("users", userId), "books").filter((id) =>
      !actions.some(({ name, arguments: args }) =>
        name === "renew_book" && args.get("book_id") === id
      )
    ).map((id) => ({ action: call("renew_book", "book_id", id) })),
  details: ({ title }) => [title],
} satisfies GoalsPart<LibraryRequest, LibraryGoal>;
