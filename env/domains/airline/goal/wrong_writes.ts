/**
 * Builds wrong writes for an airline task: gold writes with one wrong argument, such as another reservation, flight,
 * payment method or number of bags, and writes that the task does not ask for.
 */

import { call } from "../../shared/call.ts";
import type { AirlineTask } from "./request.ts";
import type { Database } from "../../../database.ts";
import type { WrongWrite } from "../../../domain.ts";
import {
  MISTAKES_PER_KIND,
  type ValueSource,
  wrongWritesFor,
} from "../../shared/goal/wrong_writes.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { numberIn, rows, text, texts } from "../../shared/read_row.ts";
import { flightsBetween, routesOf } from "../routes.ts";
import { seatPrice } from "./fares.ts";

/** Returns the wrong writes to try for a task. */
export function wrongWrites(
  task: AirlineTask,
  database: Database,
): WrongWrite[] {
  return wrongWritesFor(task, {
    database,
    wrong: {
      mistakes,
      further: ({ userId }) =>
        call("send_certificate", { user_id: userId, amount: 150 }),
      rows: { table: "reservations", argument: "reservation_id" },
      untouched: (reservation_id) => [
        call("cancel_reservation", { reservation_id }),
      ],
    },
  });
}

/** Returns variants of a call, each with one wrong value. */
function mistakes(action: ToolAction, of: ValueSource): ToolAction[] {
  const { name, arguments: args } = action;
  if (!/^(book|update|cancel|send)_/.test(name)) return [];
  const all: ToolAction[] = [];
  const swap = (key: string, values: readonly JsonValue[]) => {
    for (const value of values.slice(0, MISTAKES_PER_KIND)) {
      all.push({ name, arguments: new Map(args).set(key, value) });
    }
  };
  swap("payment_id", costs(action, of) ? otherMethods(args, of.user) : []);
  if (args.has("reservation_id")) {
    swap("reservation_id", otherReservations(action, of));
  }
  if (args.has("amount")) swap("amount", [numberIn(args, "amount") / 2]);
  if (args.has("total_baggages")) {
    swap("total_baggages", [numberIn(args, "total_baggages") + 1]);
  }
  if (args.has("insurance")) {
    swap("insurance", [args.get("insurance") === "yes" ? "no" : "yes"]);
  }
  if (args.has("flights")) swap("flights", otherFlights(args, of));
  if (args.has("passengers")) {
    const [first, ...rest] = rows(args, "passengers");
    if (first !== undefined) {
      swap("passengers", [[new Map(first).set("dob", "1900-01-01"), ...rest]]);
    }
  }
  return all;
}

/** Checks whether a call's payment method affects its result. It does not if the call only adds free bags. */
function costs(
  { name, arguments: args }: ToolAction,
  { database }: ValueSource,
) {
  if (!args.has("payment_id")) return false;
  if (name !== "update_reservation_baggages") return true;
  const held = database.get("reservations", text(args, "reservation_id"));
  return numberIn(args, "nonfree_baggages") >
    numberIn(held, "nonfree_baggages");
}

function otherMethods(args: JsonObject, user: JsonObject | undefined) {
  return rows(user, "payment_methods").map((one) => text(one, "id"))
    .filter((id) => id !== args.get("payment_id"));
}

/**
 * Returns the ids of the user's other reservations to which a wrong call may refer: none for a change of flights or
 * passengers, which must fit the reservation.
 */
function otherReservations(
  { name, arguments: args }: ToolAction,
  { user }: ValueSource,
) {
  if (/(flights|passengers)$/.test(name)) return [];
  return texts(user, "reservations").filter((id) =>
    id !== args.get("reservation_id")
  );
}

/** Returns variants of a call's flights in which another flight on the same day replaces the first flight. */
function otherFlights(
  args: JsonObject,
  { database }: ValueSource,
): JsonValue[] {
  const [first, ...rest] = rows(args, "flights");
  const flight = database.get("flights", text(first, "flight_number"));
  const date = text(first, "date");
  const cabin = text(args, "cabin");
  return flightsBetween(
    routesOf(database),
    text(flight, "origin"),
    text(flight, "destination"),
  ).filter((other) =>
    other !== flight &&
    seatPrice(other, { date, cabin, seats: 1 }) !== undefined
  ).map((other) => [
    new Map<string, JsonValue>([
      ["flight_number", text(other, "flight_number")],
      ["date", date],
    ]),
    ...rest,
  ]);
}
