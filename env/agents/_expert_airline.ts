/**
 * How the expert serves an airline's customer: asks for the user id and for what is missing, looks up what policy
 * demands, reads back, and writes after a yes.
 *
 * @module
 */

import { isWrite } from "../audit/finding.ts";
import { dutiesOf } from "../airline/goal/duties.ts";
import type { Database } from "../database.ts";
import { printPythonJson } from "../python_json.ts";
import type { Request, Task, ToolAction } from "../types.ts";
import {
  airlineRequestWords,
  type TripDetail,
  tripDetails,
} from "../users/_airline_words.ts";
import type { Phraser } from "../users/_wording.ts";
import type { Desk, Script } from "./_desk.ts";
import { answerWords, moreWords } from "./_expert_words.ts";

/** What the expert works with. */
export interface AirlineShift {
  readonly desk: Desk;
  readonly task: Task;
  readonly database: Database;
  readonly say: Phraser;
}

const MAX_ASKS = 2;

const QUESTIONS: Readonly<Record<TripDetail, string>> = {
  reservation: "which reservation is it?",
  route: "where do you want to fly, from which airport to which?",
  date: "on what date?",
  pick: "which flight do you prefer?",
  cabin: "which cabin?",
  passengers: "who is to fly? please tell me the passengers.",
  bags: "how many bags?",
  insurance: "do you want insurance?",
  pay: "how do you want to pay?",
};

/** Serves all requests of a task. */
export function* serveAirline(shift: AirlineShift): Script {
  const { desk, task, say } = shift;
  for (let i = 0; i <= MAX_ASKS && !desk.everHeard(task.userId); i++) {
    yield* desk.say("sure. what is your user id?");
  }
  if (!desk.everHeard(task.userId)) {
    yield* desk.say("sorry, i cannot help without knowing your user id.");
    return;
  }
  const profile = task.actions.find(({ name }) => name === "get_user_details");
  if (profile !== undefined) yield* desk.call(profile);
  const writes = task.actions.filter(isWrite);
  for (const [i, request] of (task.goal?.requests ?? []).entries()) {
    if (i > 0) desk.beginRequest();
    const isMet = request.intent === "question" || request.refused === true;
    yield* serveOne(shift, {
      request,
      write: isMet ? undefined : writes.shift(),
    });
  }
  yield* desk.say(moreWords(say));
}

function* serveOne(
  { desk, task, database, say }: AirlineShift,
  { request, write }: { request: Request; write: ToolAction | undefined },
): Script {
  if (request.intent !== "question") {
    for (const [kind, words] of tripDetails(request)) {
      for (let i = 0; i < MAX_ASKS && !desk.heard(words); i++) {
        yield* desk.say(QUESTIONS[kind]);
      }
    }
  }
  for (const read of dutiesOf({ request, database, userId: task.userId })) {
    if (!desk.hasCalled(read)) yield* desk.call(read);
  }
  if (request.intent === "question") {
    const { outputs = [] } = request;
    return yield* close(desk, answerWords({ request, outputs }, say));
  }
  if (request.refused === true) {
    const { outputs = [] } = request;
    return yield* close(
      desk,
      `${refusalWords(request, outputs.join(", "))} ${moreWords(say)}`,
    );
  }
  if (write === undefined) return;
  for (let i = 0; i <= MAX_ASKS; i++) {
    const reply = yield* desk.say(
      `i will ${readBack(request, write)}, yes or no?`,
    );
    if (!/\byes\b/.test(reply)) continue;
    const shown = yield* desk.call(write);
    return yield* close(
      desk,
      shown.startsWith("Error")
        ? `sorry, that is not possible. ${moreWords(say)}`
        : `done. ${moreWords(say)}`,
    );
  }
  yield* close(desk, `then nothing is changed. ${moreWords(say)}`);
}

/** The request as it was understood, and what the call holds beyond it. */
function readBack(request: Request, write: ToolAction): string {
  const words = airlineRequestWords({ ...request, forthcoming: true })
    .replaceAll(/\bmy\b/g, "your")
    .replace(/^be compensated, since .*$/, "send you a certificate");
  return `${words} (${printPythonJson(write.arguments)})`;
}

function refusalWords({ refusedBy }: Request, told: string): string {
  switch (refusedBy) {
    case "account.own_reservation":
      return `sorry, that reservation is not of ${told}, so i cannot do that.`;
    case "cancel.allowed":
      return `sorry, it was booked at ${told}, so i cannot cancel it.`;
    case "cancel.not_flown":
      return `sorry, ${told} has been flown, so i cannot cancel it.`;
    default:
      return `sorry, ${told} stays as it is, so i cannot do that.`;
  }
}

/** Says how a request ended; stands by it if the customer doubts it. */
function* close(desk: Desk, words: string): Script {
  let reply = yield* desk.say(words);
  for (let i = 0; i < MAX_ASKS && /\bare you sure\b/.test(reply); i++) {
    reply = yield* desk.say(words);
  }
}
