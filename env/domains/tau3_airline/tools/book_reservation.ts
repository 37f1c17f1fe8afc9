import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { validate } from "../../../python/pydantic.ts";
import {
  add,
  compare,
  isPythonNumber,
  multiply,
  subtract,
} from "../../../python/python_number.ts";
import {
  keyError,
  length,
  operandError,
  sum,
} from "../../../python/python_object.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../../python/python_value.ts";
import { listAt, numberAt, objectAt, textAt } from "../../../row.ts";
import type { Arguments } from "../../../tool.ts";
import { editRow } from "../../shared/lookup.ts";
import {
  listValue,
  objectList,
  readObjects,
} from "../../shared/toolkit/object_list.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { bookedFlight, priceOf } from "../fares.ts";
import { userId } from "../find_rows.ts";
import { FlightInfo, Passenger, Payment, Reservation } from "../models.ts";
import { spendGiftCard } from "../pay_for_update.ts";

/** The ids of the reservations that can be booked in an episode. */
const IDS = ["HATHAT", "HATHAU", "HATHAV"] as const;

const PRICE_OF_INSURANCE = 30;
const PRICE_OF_A_BAG = 50;

const PARAMETERS = [
  "user_id",
  "origin",
  "destination",
  "flight_type",
  "cabin",
  "flights",
  "passengers",
  "payment_methods",
  "total_baggages",
  "nonfree_baggages",
  "insurance",
] as const;

type Booking = Arguments<typeof PARAMETERS[number]>;

/** Books flights, charges the payments and takes the seats. */
export const bookReservation = airlineTool({
  name: "book_reservation",
  kind: "write",
  parameters: PARAMETERS,
  run(database, booking) {
    const flights = objectList(FlightInfo, booking.flights);
    const passengers = objectList(Passenger, booking.passengers);
    const payments = objectList(Payment, booking.payment_methods);
    const owner = userId(database, booking.user_id);
    const reservation = validate(
      Reservation,
      new Map<string, JsonValue>([
        ...Object.entries(booking),
        ["reservation_id", freeId(database)],
        ["flights", []],
        ["passengers", listValue(passengers)],
        ["payment_history", listValue(payments)],
        ["created_at", "2024-05-15T15:00:00"],
      ]),
    );
    const legs = readObjects(flights, "flight_number");
    const total = priceAll(database, reservation, { legs, booking });
    const paid = readObjects(payments, "payment_id");
    checkPayments(database, owner, { payments: paid, total });
    takePayments(database, owner, paid);
    takeSeats(database, reservation);
    const id = textAt(reservation, "reservation_id");
    database.put("reservations", id, reservation);
    listAt(editRow(database, "users", owner), "reservations").push(id);
    return model(reservation);
  },
});

/**
 * Returns an id that is not in use.
 * @throws {ToolError} If all ids are in use.
 */
function freeId(database: Database): string {
  const id = IDS.find((id) => !database.has("reservations", id));
  if (id !== undefined) return id;
  throw new ToolError("Too many reservations");
}

/**
 * Adds the flights to the reservation, and computes the price of the booking.
 * @returns The total price in dollars, including insurance and bags.
 */
function priceAll(
  database: Database,
  reservation: JsonObject,
  { legs, booking }: {
    legs: readonly JsonObject[];
    booking: Booking;
  },
): PythonNumber {
  const passengers = listAt(reservation, "passengers");
  const flights = listAt(reservation, "flights");
  let total: PythonNumber = 0;
  for (const leg of legs) {
    const flight = bookedFlight(database, leg, {
      cabin: booking.cabin,
      passengers,
    });
    flights.push(flight);
    total = add(total, multiply(priceOf(flight), length(passengers)));
  }
  if (booking.insurance === "yes") {
    total = add(total, multiply(PRICE_OF_INSURANCE, length(passengers)));
  }
  return add(total, priceOfBags(booking.nonfree_baggages, total));
}

/**
 * Returns the price of the bags that are not free.
 * @throws {ToolError} If `nonfree` is a string of digits. The reservation's model accepts such a string, but Python
 * cannot add it to a number.
 */
function priceOfBags(nonfree: JsonValue, total: PythonNumber): PythonNumber {
  if (isPythonNumber(nonfree)) return multiply(PRICE_OF_A_BAG, nonfree);
  throw operandError("+=", total, nonfree);
}

/**
 * Checks that the user can make all payments, and that they add up to the price.
 * @throws {ToolError} For the first payment that cannot be made, or if the sum differs from the price.
 */
function checkPayments(
  database: Database,
  owner: string,
  { payments, total }: {
    payments: readonly JsonObject[];
    total: PythonNumber;
  },
): void {
  const methods = objectAt(database.get("users", owner)!, "payment_methods");
  for (const payment of payments) {
    const id = textAt(payment, "payment_id");
    if (!methods.has(id)) {
      throw new ToolError(`Payment method ${id} not found`);
    }
    const method = objectAt(methods, id);
    if (
      textAt(method, "source") !== "credit_card" &&
      compare(numberAt(method, "amount"), numberAt(payment, "amount")) < 0
    ) {
      throw new ToolError(`Not enough balance in payment method ${id}`);
    }
  }
  const paid = sum(payments.map((payment) => numberAt(payment, "amount")));
  if (compare(paid, total) === 0) return;
  throw new ToolError(
    `Payment amount does not add up, total price is ${
      pythonStr(total)
    }, but paid ${pythonStr(paid)}`,
  );
}

/**
 * Charges the payments in order; a certificate is used up entirely.
 * @throws {ToolError} If a certificate is used twice, with the message of Python's `KeyError`. Earlier charges are not
 * rolled back.
 */
function takePayments(
  database: Database,
  owner: string,
  payments: readonly JsonObject[],
): void {
  const user = editRow(database, "users", owner);
  const methods = objectAt(user, "payment_methods");
  for (const payment of payments) {
    const id = textAt(payment, "payment_id");
    if (!methods.has(id)) throw keyError(id);
    const source = textAt(objectAt(methods, id), "source");
    if (source === "gift_card") {
      spendGiftCard(user, id, numberAt(payment, "amount"));
    }
    if (source === "certificate") methods.delete(id);
  }
}

/** Takes one seat per passenger on each flight. A flight that is listed twice loses twice as many seats. */
function takeSeats(database: Database, reservation: JsonObject): void {
  const cabin = textAt(reservation, "cabin");
  const count = listAt(reservation, "passengers").length;
  for (const booked of listAt(reservation, "flights") as JsonObject[]) {
    const flight = editRow(
      database,
      "flights",
      textAt(booked, "flight_number"),
    );
    const day = objectAt(objectAt(flight, "dates"), textAt(booked, "date"));
    const seats = objectAt(day, "available_seats");
    seats.set(cabin, subtract(numberAt(seats, cabin), count));
  }
}
