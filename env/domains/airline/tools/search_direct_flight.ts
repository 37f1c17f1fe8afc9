import { printPythonJson } from "../../../python/python_json.ts";
import { asKey } from "../../../python/python_object.ts";
import { defineTool } from "../../../tool.ts";
import { bookableDay, flightsBetween, routesOf, shown } from "../routes.ts";

/** Finds the bookable flights between two airports on a given date. */
export const searchDirectFlight = defineTool({
  name: "search_direct_flight",
  parameters: ["origin", "destination", "date"],
  run(database, { origin, destination, date }) {
    const flights = flightsBetween(routesOf(database), origin, destination);
    const found = flights.flatMap((flight) => {
      const day = bookableDay(flight, asKey(date));
      return day === undefined ? [] : [shown(flight, day)];
    });
    return printPythonJson(found);
  },
});
