import { ToolError } from "../../../errors.ts";
import { length } from "../../../python/python_object.ts";
import { copyValue } from "../../../python/python_value.ts";
import { editRow } from "../../shared/lookup.ts";
import { listValue, objectList } from "../../shared/toolkit/object_list.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { reservationId } from "../find_rows.ts";
import { Passenger } from "../models.ts";

/**
 * Replaces the passengers of a reservation with the same number of passengers. A list that contains values other than
 * objects is stored unchanged.
 */
export const updateReservationPassengers = airlineTool({
  name: "update_reservation_passengers",
  kind: "write",
  parameters: ["reservation_id", "passengers"],
  run(database, { reservation_id, passengers }) {
    const list = listValue(objectList(Passenger, passengers));
    const id = reservationId(database, reservation_id);
    const reservation = editRow(database, "reservations", id);
    if (length(list) !== length(reservation.get("passengers")!)) {
      throw new ToolError("Number of passengers does not match");
    }
    reservation.set("passengers", copyValue(list));
    return model(reservation);
  },
});
