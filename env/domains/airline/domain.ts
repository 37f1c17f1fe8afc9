/** Defines τ-bench's airline domain. */

import { defineDomain } from "../../domain.ts";
import { calculate } from "../shared/tools/calculate.ts";
import { getUserDetails } from "../shared/tools/get_user_details.ts";
import { think } from "../shared/tools/think.ts";
import { transferToHumanAgents } from "../shared/tools/transfer_to_human_agents.ts";
import { serveAirline } from "./expert/serve_airline.ts";
import { airlineGoals } from "./goal/airline_goals.ts";
import { airlineClauses } from "./policy_clauses.ts";
import { airlineRows } from "./owned_rows.ts";
import { airlineRowTasks } from "./rows/airline_rows.ts";
import { rowSchemas } from "./schema.ts";
import { bookReservation } from "./tools/book_reservation.ts";
import { cancelReservation } from "./tools/cancel_reservation.ts";
import { getReservationDetails } from "./tools/get_reservation_details.ts";
import { listAllAirports } from "./tools/list_all_airports.ts";
import { searchDirectFlight } from "./tools/search_direct_flight.ts";
import { searchOnestopFlight } from "./tools/search_onestop_flight.ts";
import { sendCertificate } from "./tools/send_certificate.ts";
import { updateReservationBaggages } from "./tools/update_reservation_baggages.ts";
import { updateReservationFlights } from "./tools/update_reservation_flights.ts";
import { updateReservationPassengers } from "./tools/update_reservation_passengers.ts";
import { airlineUser } from "./user/airline_user.ts";
import { airlineWorld } from "./world/draw_world.ts";

/**
 * τ-bench's airline domain. Its tools make the same checks in the same order as the original tools, return the same
 * strings and have the same effects.
 *
 * @see sierra-research/tau-bench at commit 59a200c, tau_bench/envs/airline/tools.
 */
export const airline = defineDomain({
  benchmark: "tau",
  name: "airline",
  rowSchemas,
  rows: airlineRows,
  policy: { clauses: airlineClauses },
  goals: airlineGoals,
  scriptedUser: airlineUser,
  expert: serveAirline,
  world: airlineWorld,
  rowTasks: airlineRowTasks,
  tools: [
    bookReservation,
    calculate,
    cancelReservation,
    getReservationDetails,
    getUserDetails,
    listAllAirports,
    searchDirectFlight,
    searchOnestopFlight,
    sendCertificate,
    think,
    transferToHumanAgents,
    updateReservationBaggages,
    updateReservationFlights,
    updateReservationPassengers,
  ],
});
