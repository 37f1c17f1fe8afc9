/**
 * How the expert serves an airline's customer: asks for the user id and for what is missing, looks up what policy
 * demands, reads back, and writes after a yes.
 */

import { dutiesOf } from "../goal/duties.ts";
import { meanings } from "../goal/meanings.ts";
import { isWrite } from "../../../audit/finding.ts";
import type { Database } from "../../../database.ts";
import type { Request, Task, ToolAction } from "../../../types.ts";
import { tripDetails } from "../user/trip_words.ts";
import { text } from "../../shared/read_row.ts";
import type { Phraser } from "../../../users/wording.ts";
import type { Desk, Script } from "../../../agents/desk.ts";
import {
  askTripWords,
  confirmTripWords,
  doneTripWords,
  refuseTripWords,
} from "./expert_words.ts";
import { answerWords, moreWords } from "../../retail/expert/expert_words.ts";

/** What the expert works with. */
export interface AirlineShift {
  readonly desk: Desk;
  readonly task: Task;
  readonly database: Database;
  readonly say: Phraser;
}

/** A request that is being served. */
interface Case extends AirlineShift {
  readonly request: Request;
}

const MAX_ASKS = 2;

/** Serves all requests of a task. */
export function* serveAirline(shift: AirlineShift): Script {
  const { desk, task, say } = shift;
  for (let i = 0; i <= MAX_ASKS && !desk.everHeard(task.userId); i++) {
    yield* desk.say(askTripWords("id", say));
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
    const one = { ...shift, request };
    if (request.intent === "question") yield* answer(one);
    else if (request.refused === true) yield* refuse(one);
    else yield* write(one, writes.shift());
  }
  yield* desk.say(moreWords(say));
}

function* answer(one: Case): Script {
  const { request, say } = one;
  yield* lookUp(one);
  const { outputs = [] } = request;
  yield* close(one, answerWords({ request, outputs }, say));
}

function* refuse(one: Case): Script {
  const { request, say } = one;
  yield* askDetails(one);
  yield* lookUp(one);
  const told = (request.outputs ?? []).join(", ");
  yield* close(one, `${refuseTripWords(request, told)} ${moreWords(say)}`);
}

/** Reads the gold call back, and makes it after a yes. */
function* write(one: Case, action: ToolAction | undefined): Script {
  const { desk, request, say } = one;
  if (request.before !== undefined) yield* readBackFirst(one);
  yield* askDetails(one);
  yield* lookUp(one);
  if (action === undefined) return;
  for (let i = 0; i <= MAX_ASKS; i++) {
    // A correction may have a yes in it: "yes to travel insurance".
    if (!/^yes\b/.test(yield* readBack(one, action))) continue;
    const shown = yield* desk.call(action);
    return yield* close(
      one,
      shown.startsWith("Error")
        ? `sorry, that is not possible. ${moreWords(say)}`
        : doneTripWords(request, say),
    );
  }
  yield* close(one, `then nothing is changed. ${moreWords(say)}`);
}

/** Reads back what the customer wants at first; they change their mind then. */
function* readBackFirst(one: Case): Script {
  const { database, task: { userId } } = one;
  const request = { ...one.request, ...one.request.before };
  const first = { ...one, request };
  yield* askDetails(first);
  yield* lookUp(first);
  const [action] = meanings({ request, database, userId });
  if (action !== undefined) yield* readBack(first, action);
}

function* readBack(
  { desk, request, say, database }: Case,
  write: ToolAction,
): Script<string> {
  const id = text(write.arguments, "reservation_id");
  const held = database.get("reservations", id);
  const call = { request, write, profile: desk.user, held };
  return yield* desk.say(confirmTripWords(call, say));
}

/** Asks for what the customer has not said yet. */
function* askDetails({ desk, request, say }: Case): Script {
  for (const [kind, words] of tripDetails(request)) {
    for (let i = 0; i < MAX_ASKS && !desk.heard(words); i++) {
      yield* desk.say(askTripWords(kind, say));
    }
  }
}

/** Reads what policy demands, each once. */
function* lookUp({ desk, request, database, task: { userId } }: Case): Script {
  for (const read of dutiesOf({ request, database, userId })) {
    if (!desk.hasCalled(read)) yield* desk.call(read);
  }
}

/** Says how a request ended; stands by it if the customer doubts it. */
function* close({ desk }: Case, words: string): Script {
  let reply = yield* desk.say(words);
  for (let i = 0; i < MAX_ASKS && /\bare you sure\b/.test(reply); i++) {
    reply = yield* desk.say(words);
  }
}
