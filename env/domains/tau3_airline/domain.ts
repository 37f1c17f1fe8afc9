/** Defines τ³-bench's airline domain. */

import { serveAirline } from "../airline/expert/serve_airline.ts";
import { airlineRows } from "../airline/owned_rows.ts";
import { airlineUser } from "../airline/user/airline_user.ts";
import { defineDomain } from "../../domain.ts";
import { jsonStateHash, sameJsonState } from "../../json_state.ts";
import { loadTables, rowSchemasOf } from "../shared/toolkit/bundle_database.ts";
import {
  calculateTool,
  transferTool,
} from "../shared/toolkit/generic_tools.ts";
import { AIRLINE_TOOLS } from "./airline_tool.ts";
import { airlineModels } from "./models.ts";
import { bookReservation } from "./tools/book_reservation.ts";
import { cancelReservation } from "./tools/cancel_reservation.ts";
import { getFlightStatus } from "./tools/get_flight_status.ts";
import { getReservationDetails } from "./tools/get_reservation_details.ts";
import { getUserDetails } from "./tools/get_user_details.ts";
import { listAllAirports } from "./tools/list_all_airports.ts";
import { searchDirectFlight } from "./tools/search_direct_flight.ts";
import { searchOnestopFlight } from "./tools/search_onestop_flight.ts";
import { sendCertificate } from "./tools/send_certificate.ts";
import { updateReservationBaggages } from "./tools/update_reservation_baggages.ts";
import { updateReservationFlights } from "./tools/update_reservation_flights.ts";
import { updateReservationPassengers } from "./tools/update_reservation_passengers.ts";

const LAYOUT = {
  flights: "object",
  users: "object",
  reservations: "object",
} as const;

/**
 * τ³-bench's airline domain. Its tools make the same checks in the same order as the original tools, return the same
 * strings and have the same effects.
 *
 * @see sierra-research/tau2-bench, src/tau2/domains/airline.
 */
export const tau3Airline = defineDomain({
  benchmark: "tau3",
  name: "airline",
  rowSchemas: rowSchemasOf(airlineModels),
  tools: [
    bookReservation,
    calculateTool(AIRLINE_TOOLS),
    cancelReservation,
    getReservationDetails,
    getUserDetails,
    listAllAirports,
    searchDirectFlight,
    searchOnestopFlight,
    sendCertificate,
    transferTool(AIRLINE_TOOLS),
    updateReservationBaggages,
    updateReservationFlights,
    updateReservationPassengers,
    getFlightStatus,
  ],
  rows: airlineRows,
  scriptedUser: airlineUser,
  expert: serveAirline,
  bundle: {
    load: ({ agent }) => ({
      agent: loadTables("FlightDB", airlineModels, agent),
    }),
    hash: (database) => jsonStateHash(database, LAYOUT),
    isSame: (left, right) => sameJsonState(left, right, LAYOUT),
  },
});
