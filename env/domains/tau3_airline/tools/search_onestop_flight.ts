import { parseInt10 } from "../../../python/python_int.ts";
import { add } from "../../../python/python_number.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import { textAt } from "../../../row.ts";
import { model, type ModelObject } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { searchFlights } from "../search_flights.ts";

/** Finds connections with one stop between two airports. Both flights must be bookable. */
export const searchOnestopFlight = airlineTool({
  name: "search_onestop_flight",
  kind: "read",
  parameters: ["origin", "destination", "date"],
  run(database, { origin, destination, date }) {
    const pairs: ModelObject[][] = [];
    const firsts = searchFlights(database, { date, origin, destination: null });
    for (const first of firsts) {
      const arrival = textAt(first, "scheduled_arrival_time_est");
      const date2 = arrival.includes("+1") ? dayAfter(date) : date;
      // Times are compared as strings, so an arrival on the next day (`01:10:00+1`) looks early.
      const seconds = searchFlights(database, {
        date: date2,
        origin: textAt(first, "destination"),
        destination,
        leaveAfter: arrival,
      });
      first.set("date", date);
      for (const second of seconds) {
        pairs.push([model(first), model(second.set("date", date2))]);
      }
    }
    return pairs;
  },
});

/**
 * Returns the next day as the original formats it: always in May 2024, and without a leading zero.
 * @throws {ToolError} If the date does not end with an integer.
 */
function dayAfter(date: JsonValue): string {
  const day = parseInt10(pythonStr(date).slice(-2));
  return `2024-05-${pythonStr(add(day, 1))}`;
}
