import { airlineTool } from "../airline_tool.ts";
import { reservationId } from "../find_rows.ts";

/** Returns the whole row of a reservation. */
export const getReservationDetails = airlineTool({
  name: "get_reservation_details",
  kind: "read",
  parameters: ["reservation_id"],
  run(database, { reservation_id }) {
    const id = reservationId(database, reservation_id);
    return database.print("reservations", id)!;
  },
});
