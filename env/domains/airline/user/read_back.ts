/**
 * Compares an agent's read-back with what the user wants. In a read-back, the agent repeats a request before it makes
 * the call.
 */

import type { AirlineRequest } from "../goal/request.ts";
import type { Database } from "../../../database.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import type { Task } from "../../../types.ts";
import { rows, text, texts } from "../../shared/read_row.ts";

/** The request, task and database with which a read-back is compared. */
interface ReadBack {
  readonly request: AirlineRequest;
  readonly task: Task;
  readonly database: Database;
  /**
   * Whether this is the initial version of a request about which the user will change their mind. The gold actions
   * contain only the final version.
   */
  readonly isFirst: boolean;
}

/**
 * Checks whether the agent's message contradicts the request. A message may omit details, but it must contain the word
 * `cancel` if, and only if, the request is a cancellation.
 */
export function contradicts(message: string, of: ReadBack): boolean {
  const { trip = {}, intent } = of.request;
  const said = message.toLowerCase();
  const found = (pattern: RegExp) => said.match(pattern) ?? [];
  const ids = message.match(/\b(?!HAT\d)[A-Z]{3}[A-Z0-9]{3}\b/g) ?? [];
  const cabins = found(/basic economy|basic_economy|economy|business/g)
    .map((one) => one.replace("_", " "));
  return isOther(ids, listOf(trip.reservationId)) ||
    isOther(
      found(/\b\d{4}-\d\d-\d\d\b/g).filter((day) => day >= "2024"),
      [...listOf(trip.date), ...listOf(trip.returnDate)],
    ) ||
    isOther(cabins, listOf(trip.cabin?.replace("_", " "))) ||
    isOther(bagsIn(said, intent), listOf(bagsWanted(of.request))) ||
    isOther(found(/credit card|gift card|certificate/g), trip.pay ?? []) ||
    !of.isFirst && hasOtherFlight(message, of) ||
    /\bcancel\b/.test(said) !== (intent === "cancel");
}

/**
 * Checks whether the values found in a message differ from the values in the request. Returns `false` if either list is
 * empty or they have a value in common.
 */
function isOther(found: readonly string[], own: readonly string[]): boolean {
  return found.length > 0 && own.length > 0 &&
    !found.some((one) => own.includes(one));
}

function listOf(value: string | undefined): string[] {
  return value === undefined ? [] : [value];
}

/** Returns the numbers of bags that a message mentions. For a change, only numbers of additional bags are included. */
function bagsIn(said: string, intent: AirlineRequest["intent"]): string[] {
  const pattern = intent === "book"
    ? /(?<!\d)(\d+) (?:checked |free )?bags?\b/g
    : /(?<!\d)(\d+) (?:more|extra|additional|further) (?:free )?bags?\b/g;
  return [...said.matchAll(pattern)].map((one) => one[1] ?? "");
}

function bagsWanted({ trip }: AirlineRequest): string | undefined {
  return trip?.bags === undefined ? undefined : String(Math.abs(trip.bags));
}

/** Checks whether a message mentions a flight that the user neither has nor wants. */
function hasOtherFlight(
  message: string,
  { task, database }: ReadBack,
): boolean {
  const own = texts(database.get("users", task.userId), "reservations")
    .flatMap((id) => rows(database.get("reservations", id), "flights"))
    .map((leg) => text(leg, "flight_number"));
  const wanted = new Set([
    ...own,
    ...task.actions.flatMap(({ arguments: args }) => strings(args)),
  ]);
  return (message.match(/\bHAT\d+\b/g) ?? []).some((one) => !wanted.has(one));
}

function strings(value: JsonValue): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(strings);
  return value instanceof Map ? [...value.values()].flatMap(strings) : [];
}
