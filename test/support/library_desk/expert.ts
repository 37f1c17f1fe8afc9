/** Implements the expert of the library, which identifies readers by their cards and books by their titles. */

import type { Script } from "../../../env/agents/desk.ts";
import type { ExpertStart } from "../../../env/domain.ts";
import { askUntil, close } from "../../../env/domains/shared/expert/moves.ts";
import { answerWords, MORE } from "../../../env/domains/shared/expert/words.ts";
import { needsWrite } from "../../../env/domains/shared/goal/goal.ts";
import { text, texts } from "../../../env/domains/shared/read_row.ts";
import type { Task } from "../../../env/types.ts";
import { call, type LibraryGoal, type LibraryRequest } from "./goals.ts";

interface LibraryStart extends ExpertStart {
  readonly task: Task<LibraryGoal>;
}

/** Serves all requests of a reader. */
export function* serveReader(start: LibraryStart): Script {
  const { desk, task: { userId, goal } } = start;
  yield* askUntil(desk, {
    question: () => "what is your card number?",
    until: () => desk.everHeard(userId),
  });
  yield* desk.call(call("get_user_details", "user_id", userId));
  for (const [i, request] of (goal?.requests ?? []).entries()) {
    if (i > 0) desk.beginRequest();
    yield* serve(start, request);
  }
  yield* desk.say(MORE);
}

function* serve(start: LibraryStart, request: LibraryRequest): Script {
  const { desk } = start;
  const { title, outputs = [], refused } = request;
  yield* askUntil(desk, {
    question: () => "which book is it?",
    until: () => desk.heard(title),
  });
  const id = yield* findBook(start, title);
  if (refused === true) {
    const words = `sorry, it is ${outputs.join()}, so i cannot renew it.`;
    return yield* close(desk, `${words} ${MORE}`);
  }
  if (!needsWrite(request)) {
    const question = `due date of ${title}`;
    const words = answerWords({ request: { ...request, question }, outputs });
    return yield* close(desk, words);
  }
  const reply = yield* desk.say(`i will renew ${title}, ${id}, yes or no?`);
  if (!/\byes\b/.test(reply)) return;
  yield* desk.call(call("renew_book", "book_id", id));
  yield* close(desk, `done, it is renewed. ${MORE}`);
}

function* findBook({ desk }: LibraryStart, title: string): Script<string> {
  for (const id of texts(desk.user, "books")) {
    if (desk.row("book_id", id) === undefined) {
      yield* desk.call(call("get_book_details", "book_id", id));
    }
    if (text(desk.row("book_id", id), "title") === title) return id;
  }
  return "";
}
