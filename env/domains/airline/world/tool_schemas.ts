/**
 * The airline's tool schemas as models see them. The descriptions were written for this project and are not τ-bench's.
 */

import {
  deskTools,
  objectOf,
  text,
  tool,
} from "../../../generated/tool_schema.ts";
import type { ToolSchema } from "../../../types.ts";

type Parameters = Readonly<Record<string, unknown>>;

const userId = text("The customer's user id, such as ada_stone_1234");
const reservationId = text("The reservation's id, six letters and digits");
const paymentId = text(
  "Id of the customer's credit card or gift card that pays, or gets what is over",
);
const cabin = {
  type: "string",
  enum: ["basic_economy", "economy", "business"],
  description: "The cabin, the same on all flights",
};
const flights = list(
  "All flights in the order of travel, those that stay too",
  {
    flight_number: text("Flight number, such as HAT123"),
    date: text("Day of the flight, such as 2024-05-20"),
  },
);
const passengers = list(
  "Who flies, in the order in which the customer names them",
  {
    first_name: text("First name"),
    last_name: text("Last name"),
    dob: text("Date of birth, such as 1980-01-31"),
  },
);
const total = whole("All bags of the reservation together");
const nonfree = whole("Those of them that are paid for");
const route = {
  origin: text("Code of the airport, such as SFO"),
  destination: text("Code of the airport, such as JFK"),
  date: text("The day, such as 2024-05-20"),
};

/** The schemas of all 14 tools, sorted by name. */
export const airlineTools: readonly ToolSchema[] = [
  tool(
    "book_reservation",
    "Books a trip. Only after the customer has confirmed all of it.",
    {
      user_id: userId,
      origin: route.origin,
      destination: route.destination,
      flight_type: { type: "string", enum: ["one_way", "round_trip"] },
      cabin,
      flights,
      passengers,
      payment_methods: list(
        "What pays, in the customer's order; the amounts add up to the price",
        {
          payment_id: text("Id of a payment method of the profile"),
          amount: { type: "number", description: "Dollars" },
        },
      ),
      total_baggages: total,
      nonfree_baggages: nonfree,
      insurance: { type: "string", enum: ["yes", "no"] },
    },
  ),
  deskTools.calculate,
  tool(
    "cancel_reservation",
    "Cancels a whole reservation. Does not look at the policy; only after the customer has confirmed.",
    { reservation_id: reservationId },
  ),
  tool(
    "get_reservation_details",
    "Shows a reservation: flights, passengers, cabin, payments, bags, insurance, when it was booked.",
    { reservation_id: reservationId },
  ),
  tool(
    "get_user_details",
    "Shows a customer: name, membership, payment methods, saved passengers, reservation ids.",
    { user_id: userId },
  ),
  tool("list_all_airports", "Lists the airports' codes and their cities.", {}),
  tool(
    "search_direct_flight",
    "Shows the direct flights of a day that can be booked, with seats and prices by cabin.",
    route,
  ),
  tool(
    "search_onestop_flight",
    "Shows pairs of flights with one stop that can be booked, with seats and prices by cabin.",
    route,
  ),
  tool(
    "send_certificate",
    "Gives a customer a certificate. Does not look at the policy; only after the customer has confirmed.",
    { user_id: userId, amount: { type: "number", description: "Dollars" } },
  ),
  deskTools.think,
  deskTools.transfer,
  tool(
    "update_reservation_baggages",
    "Changes how many bags a reservation has. Only after the customer has confirmed.",
    {
      reservation_id: reservationId,
      total_baggages: total,
      nonfree_baggages: nonfree,
      payment_id: paymentId,
    },
  ),
  tool(
    "update_reservation_flights",
    "Changes the flights or the cabin of a reservation. Does not look at the policy; only after the customer has confirmed.",
    {
      reservation_id: reservationId,
      cabin,
      flights,
      payment_id: paymentId,
    },
  ),
  tool(
    "update_reservation_passengers",
    "Changes who flies; as many as before. Only after the customer has confirmed.",
    { reservation_id: reservationId, passengers },
  ),
];

function whole(description: string): Parameters {
  return { type: "integer", description };
}

function list(
  description: string,
  properties: Readonly<Record<string, Parameters>>,
): Parameters {
  return { type: "array", description, items: objectOf(properties) };
}
