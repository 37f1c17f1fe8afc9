import { printFound } from "../../shared/lookup.ts";
import { defineTool } from "../../../tool.ts";

/** The whole row of a reservation, as JSON. The error names the user; it is τ-bench's. */
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
