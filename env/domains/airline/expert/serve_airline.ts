/**
 * How the expert serves an airline's user: asks for the user id and for what is missing, looks up what policy
 * demands, reads back, and writes after a yes. That policy refuses a request, and by which clause, it takes from the goal.
 */

import type { Script } from "../../../agents/desk.ts";
import { isErrorAnswer } from "../../../call_tool.ts";
import type { Shift } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { call } from "../../shared/call.ts";
import { answerWords, MORE } from "../../shared/expert/words.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { texts } from "../../shared/read_row.ts";
import { dutiesOf, hasOwnRoute } from "../goal/duties.ts";
import { isCity } from "../goal/fares.ts";
import { meanings, reservationsMeant } from "../goal/meanings.ts";
import type { AirlineRequest, AirlineTask } from "../goal/request.ts";
import { tripDetails } from "../user/trip_words.ts";
import { seenRows } from "./seen.ts";
import { serveBench } from "./serve_bench.ts";
import { tripAnswer } from "./trip_answer.ts";
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

/** Serves all requests of a task. */
export function* serveAirline(shift: AirlineShift): Script {
  const { desk, task } = shift;
  yield* askUntil(desk, {
    question: () => askTripWords("id"),
    until: () => desk.everHeard(task.userId),
    times: MAX_ASKS + 1,
  });
  if (!desk.everHeard(task.userId)) {
    yield* desk.say("sorry, i cannot help without knowing your user id.");
    return;
  }
  yield* desk.call(call("get_user_details", { user_id: task.userId }));
  if (task.goal === undefined) yield* serveBench(shift);
  for (const [i, request] of (task.goal?.requests ?? []).entries()) {
    if (i > 0) desk.beginRequest();
    const one = { ...shift, request };
    if (request.intent === "question") yield* answer(one);
    else if (request.refused === true) yield* refuse(one);
    else yield* write(one);
  }
  yield* desk.say(MORE);
}

function* answer(one: Case): Script {
  const { desk, request } = one;
  const held = yield* lookUp(one);
  const answer = yield* tripAnswer(request, { desk, held });
  yield* close(
    desk,
    answer === undefined
      ? `sorry, i cannot do that. ${MORE}`
      : answerWords({ request, outputs: [answer] }),
  );
}

function* refuse(one: Case): Script {
  const { request } = one;
  yield* askDetails(one);
  yield* lookUp(one);
  const told = (request.outputs ?? []).join(", ");
  yield* close(one.desk, `${refuseTripWords(request, told)} ${MORE}`);
}

/** Reads back the call that was meant, and makes it after a yes. */
function* write(one: Case): Script {
  const { desk, request } = one;
  if (request.before !== undefined) yield* readBackFirst(one);
  yield* askDetails(one);
  const held = yield* lookUp(one);
  const action = callMeant(one);
  if (action === undefined) {
    return yield* close(desk, `sorry, i cannot do that. ${MORE}`);
  }
  for (let i = 0; i <= MAX_ASKS; i++) {
    // A correction may have a yes in it: "yes to travel insurance".
    if (!/^yes\b/.test(yield* readBack(one, { action, held }))) continue;
    const shown = yield* desk.call(action);
    return yield* close(
      desk,
      isErrorAnswer(shown)
        ? `sorry, that is not possible. ${MORE}`
        : doneTripWords(request),
    );
  }
  yield* close(one.desk, `then nothing is changed. ${MORE}`);
}

/** The call that the request means, as far as the rows that were shown tell. */
function callMeant(
  { desk, request, task: { userId } }: Case,
): ToolAction | undefined {
  return meanings({ request, database: seenRows(desk), userId })[0];
}

/** Reads back what the user wants at first; they change their mind then. */
function* readBackFirst(one: Case): Script {
  const request = { ...one.request, ...one.request.before };
  const first = { ...one, request };
  yield* askDetails(first);
  const held = yield* lookUp(first);
  const action = callMeant(first);
  if (action !== undefined) yield* readBack(first, { action, held });
}

function* readBack(
  { desk, request }: Case,
  { action, held }: { action: ToolAction; held: JsonObject | undefined },
): Script<string> {
  const call = { request, write: action, profile: desk.user, held };
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

/** Reads what policy demands, each once. @returns The reservation that the request is about. */
function* lookUp(one: Case): Script<JsonObject | undefined> {
  const { desk, request, task: { userId } } = one;
  const { from, to } = request.trip ?? {};
  const listing = call("list_all_airports", {});
  const isCities = [from, to].some((one) => one !== undefined && isCity(one));
  if (isCities && !desk.hasCalled(listing)) yield* desk.call(listing);
  const held = yield* findReservation(one);
  const duties = () => dutiesOf({ request, database: seenRows(desk), userId });
  for (const read of duties()) {
    if (!desk.hasCalled(read)) yield* desk.call(read);
  }
  return held;
}

/** Reads reservations, up to the one that the user means. */
function* findReservation(
  { desk, request, task: { userId } }: Case,
): Script<JsonObject | undefined> {
  const { trip } = request;
  const meant = () => ({ request, database: seenRows(desk), userId });
  if (trip === undefined || hasOwnRoute(meant())) return undefined;
  const ids = trip.reservationId === undefined
    ? texts(desk.user, "reservations")
    : [trip.reservationId];
  for (const reservation_id of ids) {
    if (desk.row("reservation_id", reservation_id) === undefined) {
      yield* desk.call(call("get_reservation_details", { reservation_id }));
    }
    const [id] = reservationsMeant(meant());
    if (id !== undefined) return desk.row("reservation_id", id);
  }
  return undefined;
}
