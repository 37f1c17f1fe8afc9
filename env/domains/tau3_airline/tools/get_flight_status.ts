import { textAt } from "../../../row.ts";
import { airlineTool } from "../airline_tool.ts";
import { flightDay } from "../find_rows.ts";

/** Returns the status of a flight on a given date as plain text. */
export const getFlightStatus = airlineTool({
  name: "get_flight_status",
  kind: "read",
  parameters: ["flight_number", "date"],
  run: (database, { flight_number, date }) =>
    textAt(flightDay(database, flight_number, date).day, "status"),
});
