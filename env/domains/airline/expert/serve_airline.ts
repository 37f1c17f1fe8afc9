/**
 * The expert for the airline domain. It asks for the user id and for missing details, looks up the rows that policy
 * requires, and determines the call that fulfills the request. If a clause of the policy forbids the call, the expert
 * refuses and says why. Otherwise, it reads the call back to the user, and makes it after the user says yes. Its
 * decisions depend only on what the user has said and the tools have shown; the task's goal only determines which
 * phrases the expert looks for in the user's messages.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import { isErrorAnswer } from "../../../call_tool.ts";
import type { ExpertStart } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { call } from "../../shared/call.ts";
import { answerWords, MORE } from "../../shared/expert/words.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { texts } from "../../shared/read_row.ts";
import { airportReads, hasOwnRoute, searches } from "../goal/required_reads.ts";
import { candidateReservations } from "../goal/fulfilling_calls.ts";
import type { AirlineTask } from "../goal/request.ts";
import { heldWays, searchFor } from "../goal/ways.ts";
import { airlineRequestWords, tripDetails } from "../user/trip_words.ts";
import { isAhead, type StatedRequest } from "./known.ts";
import { rulingOn } from "./ruling.ts";
import { seenRows } from "./seen.ts";
import { serveBench } from "./serve_bench.ts";
import { tripAnswer } from "./trip_answer.ts";
import {
  type AirlineMissing,
  askTripWords,
  CANNOT,
  confirmTripWords,
  doneTripWords,
  refuseTripWords,
} from "./expert_words.ts";

/** The input of the airline expert: its record of the conversation, and the airline task to work on. */
interface AirlineStart extends ExpertStart {
  readonly task: AirlineTask;
}

/** A request that the expert is working on. */
interface Case extends AirlineStart {
  readonly request: StatedRequest;
}

/** A call that policy allows, and its reservation. */
interface Allowed {
  readonly action: ToolAction;
  readonly held: JsonObject | undefined;
}

/** Asks the user for their id, and then serves all requests of the airline task. */
export function* serveAirline(start: AirlineStart): Script {
  const { desk, task } = start;
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
  if (task.goal === undefined) yield* serveBench(start);
  for (const [i, request] of (task.goal?.requests ?? []).entries()) {
    if (i > 0) desk.beginRequest();
    const refusal = yield* serve({ ...start, request });
    if (refusal !== undefined) yield* close(desk, `${refusal} ${MORE}`);
  }
  yield* desk.say(MORE);
}

/**
 * Serves a request.
 * @returns The refusal as a message to the user; `undefined` if the request was not refused.
 */
function* serve(one: Case): Script<string | undefined> {
  const { desk, request } = one;
  const words = airlineRequestWords({ ...request, forthcoming: false });
  const isStated = yield* hear(one, { kind: "wish", words });
  if (!isStated) return CANNOT;
  if (request.intent === "question") return yield* answer(one);
  if (request.before !== undefined) yield* readBackFirst(one);
  const allowed = yield* prepare(one);
  if (typeof allowed === "string") return allowed;
  for (let i = 0; i <= MAX_ASKS; i++) {
    // A correction may contain a yes: "yes to travel insurance".
    if (!/^yes\b/.test(yield* readBack(one, allowed))) continue;
    const shown = yield* desk.call(allowed.action);
    if (isErrorAnswer(shown)) return "sorry, that is not possible.";
    yield* close(desk, doneTripWords(request));
    return undefined;
  }
  yield* close(desk, `then nothing is changed. ${MORE}`);
  return undefined;
}

function* answer(one: Case): Script<string | undefined> {
  const { desk, request } = one;
  const held = yield* lookUp(one);
  yield* search(one);
  const answer = yield* tripAnswer(request, { desk, held });
  if (answer === undefined) return CANNOT;
  yield* close(desk, answerWords({ request, outputs: [answer] }));
  return undefined;
}

/**
 * Reads the initial version of the user's request back to them if policy allows it. This prompts them to change their
 * mind.
 */
function* readBackFirst(one: Case): Script {
  const request = { ...one.request, ...one.request.before };
  const first = { ...one, request };
  const allowed = yield* prepare(first);
  if (typeof allowed !== "string") yield* readBack(first, allowed);
}

function* readBack(
  { desk, request }: Case,
  { action, held }: Allowed,
): Script<string> {
  const call = { request, write: action, profile: desk.user, held };
  return yield* desk.say(confirmTripWords(call));
}

/**
 * Asks for the details of a request, and looks up the rows that they refer to.
 * @returns The call that fulfills the request, with its reservation, if policy allows the call. Otherwise, the message
 * that refuses the request or says that the expert cannot help.
 */
function* prepare(one: Case): Script<Allowed | string> {
  const { desk, request, task: { userId } } = one;
  for (const [kind, words] of tripDetails(request)) {
    if (!(yield* hear(one, { kind, words }))) return CANNOT;
  }
  const held = yield* lookUp(one);
  const known = { desk, request, userId, held };
  const early = rulingOn(known, "best").refusedBy;
  if (early !== undefined) return refuseTripWords(early, known);
  yield* search(one);
  let ruling = rulingOn(known, "nothing");
  if (ruling.refusedBy === "cancel.allowed") {
    yield* searchLost(one, held);
    ruling = rulingOn(known, "nothing");
  }
  const { action, refusedBy } = ruling;
  if (refusedBy !== undefined) return refuseTripWords(refusedBy, known);
  return action === undefined ? CANNOT : { action, held };
}

/**
 * Asks for a detail until the user states it, at most {@linkcode MAX_ASKS} times.
 * @returns Whether the user has stated the detail.
 */
function* hear(
  { desk }: Case,
  { kind, words }: { kind: AirlineMissing; words: string },
): Script<boolean> {
  const until = () => desk.heard(words);
  yield* askUntil(desk, { question: () => askTripWords(kind), until });
  return until();
}

/**
 * Reads the request's reservation, and the list of airports if the user named cities.
 * @returns The reservation; `undefined` if the request concerns none or no reservation matches.
 */
function* lookUp(one: Case): Script<JsonObject | undefined> {
  const { desk, request: { trip = {} } } = one;
  yield* readAll(desk, airportReads(trip));
  return yield* findReservation(one);
}

/** Searches for the flights that a request is about. */
function* search({ desk, request, task: { userId } }: Case): Script {
  const context = { request, database: seenRows(desk), userId };
  yield* readAll(desk, searches(context));
}

/** Searches for the future flights of a reservation, to find out whether the airline has cancelled any of them. */
function* searchLost(
  { desk }: Case,
  held: JsonObject | undefined,
): Script {
  const ahead = heldWays(held).filter(isAhead);
  yield* readAll(desk, ahead.map((way) => searchFor(way)));
}

/** Makes the read calls that have not been made before. */
function* readAll(desk: Desk, reads: readonly ToolAction[]): Script {
  for (const read of reads) {
    if (!desk.hasCalled(read)) yield* desk.call(read);
  }
}

/**
 * Finds the reservation that a request is about. Reads the reservation whose id the user has stated or, without an id,
 * the user's reservations until one of them matches.
 */
function* findReservation(
  { desk, request, task: { userId } }: Case,
): Script<JsonObject | undefined> {
  const { trip } = request;
  const context = () => ({ request, database: seenRows(desk), userId });
  if (trip === undefined || hasOwnRoute(context())) return undefined;
  const ids = trip.reservationId === undefined
    ? texts(desk.user, "reservations")
    : [trip.reservationId];
  for (const reservation_id of ids) {
    if (desk.row("reservation_id", reservation_id) === undefined) {
      yield* desk.call(call("get_reservation_details", { reservation_id }));
    }
    const [id] = candidateReservations(context());
    if (id !== undefined) return desk.row("reservation_id", id);
  }
  return undefined;
}
