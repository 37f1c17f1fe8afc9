import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { searchFlights } from "../search_flights.ts";

/** Finds the bookable flights between two airports on a given date. */
export const searchDirectFlight = airlineTool({
  name: "search_direct_flight",
  kind: "read",
  parameters: ["origin", "destination", "date"],
  run: (database, search) => searchFlights(database, search).map(model),
});
