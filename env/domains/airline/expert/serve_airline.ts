/**
 * How the expert serves an airline's user: asks for the user id and for what is missing, looks up what policy
 * demands, reads back, and writes after a yes.
 */

import { isWrite } from "../../../audit/finding.ts";
import type { Script } from "../../../agents/desk.ts";
import type { Shift } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { recite } from "../../shared/expert/recite.ts";
import { answerWords, MORE } from "../../shared/expert/words.ts";
import { text } from "../../shared/read_row.ts";
import { dutiesOf } from "../goal/duties.ts";
import { meanings } from "../goal/meanings.ts";
import type { AirlineRequest, AirlineTask } from "../goal/request.ts";
import { tripDetails } from "../user/trip_words.ts";
import {
  askTripWords,
  confirmTripWords,
  doneTripWords,
  refuseTripWords,
} from "./expert_words.ts";

/** What the expert works with. */
interface AirlineShift extends Shift {
  readonly task: AirlineTask;
}

/** A request that is being served. */
interface Case extends AirlineShift {
  readonly request: AirlineRequest;
}

/** Serves all requests of a task; plays τ-bench's, which have no goal. */
export function* serveAirline(shift: AirlineShift): Script {
  const { desk, task } = shift;
  if (task.goal === undefined) return yield* recite(shift);
  yield* askUntil(desk, {
    question: () => askTripWords("id"),
    until: () => desk.everHeard(task.userId),
    times: MAX_ASKS + 1,
  });
  if (!desk.everHeard(task.userId)) {
    yield* desk.say("sorry, i cannot help without knowing your user id.");
    return;
  }
  const profile = task.actions.find(({ name }) => name === "get_user_details");
  if (profile !== undefined) yield* desk.call(profile);
  const writes = task.actions.filter(isWrite);
  for (const [i, request] of task.goal.requests.entries()) {
    if (i > 0) desk.beginRequest();
    const one = { ...shift, request };
    if (request.intent === "question") yield* answer(one);
    else if (request.refused === true) yield* refuse(one);
    else yield* write(one, writes.shift());
  }
  yield* desk.say(MORE);
}

function* answer(one: Case): Script {
  const { request } = one;
  yield* lookUp(one);
  const { outputs = [] } = request;
  yield* close(one.desk, answerWords({ request, outputs }));
}

function* refuse(one: Case): Script {
  const { request } = one;
  yield* askDetails(one);
  yield* lookUp(one);
  const told = (request.outputs ?? []).join(", ");
  yield* close(one.desk, `${refuseTripWords(request, told)} ${MORE}`);
}

/** Reads the gold call back, and makes it after a yes. */
function* write(one: Case, action: ToolAction | undefined): Script {
  const { desk, request } = one;
  if (request.before !== undefined) yield* readBackFirst(one);
  yield* askDetails(one);
  yield* lookUp(one);
  if (action === undefined) return;
  for (let i = 0; i <= MAX_ASKS; i++) {
    // A correction may have a yes in it: "yes to travel insurance".
    if (!/^yes\b/.test(yield* readBack(one, action))) continue;
    const shown = yield* desk.call(action);
    return yield* close(
      desk,
      shown.startsWith("Error")
        ? `sorry, that is not possible. ${MORE}`
        : doneTripWords(request),
    );
  }
  yield* close(one.desk, `then nothing is changed. ${MORE}`);
}

/** Reads back what the user wants at first; they change their mind then. */
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
  { desk, request, database }: Case,
  write: ToolAction,
): Script<string> {
  const id = text(write.arguments, "reservation_id");
  const held = database.get("reservations", id);
  const call = { request, write, profile: desk.user, held };
  return yield* desk.say(confirmTripWords(call));
}

/** Asks for what the user has not said yet. */
function* askDetails({ desk, request }: Case): Script {
  for (const [kind, words] of tripDetails(request)) {
    yield* askUntil(desk, {
      question: () => askTripWords(kind),
      until: () => desk.heard(words),
    });
  }
}

/** Reads what policy demands, each once. */
function* lookUp({ desk, request, database, task: { userId } }: Case): Script {
  for (const read of dutiesOf({ request, database, userId })) {
    if (!desk.hasCalled(read)) yield* desk.call(read);
  }
}
