import { ToolError } from "../../../errors.ts";
import { editRow, findId } from "../../shared/lookup.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { length, member } from "../../../python/python_object.ts";
import { copyValue } from "../../../python/python_value.ts";
import { defineTool } from "../../../tool.ts";

/** Replaces the passengers of a reservation; only their number is checked. */
export const updateReservationPassengers = defineTool({
  name: "update_reservation_passengers",
  parameters: ["reservation_id", "passengers"],
  run(database, { reservation_id, passengers }) {
    const kind = { table: "reservations", noun: "reservation" };
    const id = findId(database, kind, reservation_id);
    const row = editRow(database, "reservations", id);
    if (length(passengers) !== length(member(row, "passengers"))) {
      throw new ToolError("number of passengers does not match");
    }
    return printPythonJson(row.set("passengers", copyValue(passengers)));
  },
});
