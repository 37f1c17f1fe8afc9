import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { parseInt10 } from "../../../python/python_int.ts";
import { add } from "../../../python/python_number.ts";
import { asKey, member, typeName } from "../../../python/python_object.ts";
import { compareStrings, pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { objectAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { bookableDay, flightsBetween, routesOf, shown } from "../routes.ts";

/** Finds connections with one stop between two airports. Both flights must be bookable. */
export const searchOnestopFlight = defineTool({
  name: "search_onestop_flight",
  parameters: ["origin", "destination", "date"],
  run(database, { origin, destination, date }) {
    const found: JsonValue[] = [];
    for (const [first, second] of connections(database, origin, destination)) {
      const pair = pairOn(date, first, second);
      if (pair !== undefined) found.push(pair);
    }
    return printPythonJson(found);
  },
});

function* connections(
  database: Database,
  origin: JsonValue,
  destination: JsonValue,
): Generator<[first: JsonObject, second: JsonObject]> {
  const routes = routesOf(database);
  const firsts = typeof origin === "string" ? routes.from.get(origin) : [];
  for (const first of firsts ?? []) {
    const stop = textAt(first, "destination");
    for (const second of flightsBetween(routes, stop, destination)) {
      yield [first, second];
    }
  }
}

/**
 * Returns both legs as shown to the agent, or `undefined` if they do not connect or cannot be booked. If the first leg
 * arrives on the next day, the second leg departs on that day.
 */
function pairOn(
  date: JsonValue,
  first: JsonObject,
  second: JsonObject,
): JsonValue[] | undefined {
  const arrival = textAt(first, "scheduled_arrival_time_est");
  const date2 = arrival.includes("+1") ? dayAfter(date) : date;
  // Times are compared as strings, so an arrival on the next day (`01:10:00+1`) looks early.
  const departure = textAt(second, "scheduled_departure_time_est");
  if (compareStrings(arrival, departure) > 0) return undefined;
  const [day1, day2] = [asKey(date), asKey(date2)];
  if (day1 === undefined || day2 === undefined) return undefined;
  const dayOfFirst = bookableDay(first, day1);
  const dayOfSecond = bookableDay(second, day2);
  if (dayOfFirst === undefined || dayOfSecond === undefined) return undefined;
  // The second leg's seats and prices are taken from the first leg's date, even if it flies on another day.
  const shownDay = objectFor(objectAt(second, "dates"), day1);
  return [
    shown(first, dayOfFirst).set("date", day1),
    shown(second, shownDay).set("date", day2),
  ];
}

/**
 * Returns the next day as the original formats it: always in May 2024, and without a leading zero.
 * @throws {ToolError} If the date does not end with an integer.
 */
function dayAfter(date: JsonValue): string {
  const day = parseInt10(lastTwo(date));
  return `2024-05-${pythonStr(add(day, 1))}`;
}

/**
 * Returns the value of Python's `date[-2:]`, which the original passes to `int()`.
 * @throws {ToolError} If the date is not a string.
 */
function lastTwo(date: JsonValue): string {
  if (typeof date === "string") return [...date.slice(-4)].slice(-2).join("");
  if (date instanceof Map) throw new ToolError("unhashable type: 'slice'");
  throw new ToolError(
    Array.isArray(date)
      ? "int() argument must be a string, a bytes-like object or a real number, not 'list'"
      : `'${typeName(date)}' object is not subscriptable`,
  );
}

function objectFor(dates: JsonObject, date: string): JsonObject {
  const day = member(dates, date);
  return day instanceof Map ? day : new Map();
}
