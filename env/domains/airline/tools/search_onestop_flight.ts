import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { asKey, member, typeName } from "../../../python/python_object.ts";
import { compareStrings, stringRepr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { objectAt, textAt } from "../../../row.ts";
import { defineTool } from "../../../tool.ts";
import { bookableDay, flightsBetween, routesOf, shown } from "../routes.ts";

/** Pairs of flights by which one gets from one airport to another, both bookable. */
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

/** Both legs as they are shown; `undefined` where they cannot be flown one after the other that day. */
function pairOn(
  date: JsonValue,
  first: JsonObject,
  second: JsonObject,
): JsonValue[] | undefined {
  const arrival = textAt(first, "scheduled_arrival_time_est");
  const date2 = arrival.includes("+1") ? dayAfter(date) : asKey(date);
  // Times are compared as texts, so an arrival on the next day (`01:10:00+1`) looks early.
  const departure = textAt(second, "scheduled_departure_time_est");
  if (compareStrings(arrival, departure) > 0) return undefined;
  const day1 = asKey(date);
  const dayOfFirst = bookableDay(first, day1);
  const dayOfSecond = bookableDay(second, date2);
  if (
    dayOfFirst === undefined || dayOfSecond === undefined ||
    day1 === undefined || date2 === undefined
  ) return undefined;
  // The second leg's seats and prices are those of the first leg's date, also where that is another day.
  const shownDay = objectFor(objectAt(second, "dates"), day1);
  return [
    shown(first, dayOfFirst).set("date", day1),
    shown(second, shownDay).set("date", date2),
  ];
}

/** The next day as the original writes it: in May 2024 and without a leading zero. @throws {ToolError} If the date's end is no int. */
function dayAfter(date: JsonValue): string {
  if (typeof date !== "string") {
    throw new ToolError(`'${typeName(date)}' object has no last characters`);
  }
  const day = [...date].slice(-2).join("");
  if (!/^\s*[+-]?\d+\s*$/.test(day)) {
    throw new ToolError(
      `invalid literal for int() with base 10: ${stringRepr(day)}`,
    );
  }
  return `2024-05-${Number(day) + 1}`;
}

function objectFor(dates: JsonObject, date: string): JsonObject {
  const day = member(dates, date);
  return day instanceof Map ? day : new Map();
}
