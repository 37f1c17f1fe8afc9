import { printFound } from "../../shared/lookup.ts";
import { defineTool } from "../../../tool.ts";

/** Returns the whole row of a reservation as JSON. The error says `user` instead of reservation, as in τ-bench. */
export const getReservationDetails = defineTool({
  name: "get_reservation_details",
  parameters: ["reservation_id"],
  run: (database, { reservation_id }) =>
    printFound(
      database,
      { table: "reservations", noun: "user" },
      reservation_id,
    ),
});
