import { printFound } from "../../shared/lookup.ts";
import { defineTool } from "../../../tool.ts";

/**
 * Returns the whole row of a reservation as JSON. As in τ-bench, the error for a missing reservation says `user not
 * found`.
 */
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
