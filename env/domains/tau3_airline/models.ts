/** The models of τ³-bench's airline rows. Fields are declared in the order in which they are printed and validated. */

import { defineModel, field } from "../../python/pydantic.ts";
import type { RowModels } from "../shared/toolkit/bundle_database.ts";

const cabin = () => field.literal("business", "economy", "basic_economy");

export const Passenger = defineModel("Passenger", {
  first_name: field.str(),
  last_name: field.str(),
  dob: field.str(),
});

/** The model of a payment in whole dollars. A negative amount is a refund. */
export const Payment = defineModel("Payment", {
  payment_id: field.str(),
  amount: field.int(),
});

/** The model of the number and date with which calls identify a flight. */
export const FlightInfo = defineModel("FlightInfo", {
  flight_number: field.str(),
  date: field.str(),
});

const ReservationFlight = defineModel("ReservationFlight", {
  flight_number: field.str(),
  origin: field.str(),
  destination: field.str(),
  date: field.str(),
  price: field.int(),
});

export const Reservation = defineModel("Reservation", {
  reservation_id: field.str(),
  user_id: field.str(),
  origin: field.str(),
  destination: field.str(),
  flight_type: field.literal("round_trip", "one_way"),
  cabin: cabin(),
  flights: field.list(field.model(ReservationFlight)),
  passengers: field.list(field.model(Passenger)),
  payment_history: field.list(field.model(Payment)),
  created_at: field.str(),
  total_baggages: field.int(),
  nonfree_baggages: field.int(),
  insurance: field.literal("yes", "no"),
  status: field.optional(field.literal("cancelled")),
});

const CreditCard = defineModel("CreditCard", {
  source: field.literal("credit_card"),
  id: field.str(),
  brand: field.str(),
  last_four: field.str(),
});

const GiftCard = defineModel("GiftCard", {
  source: field.literal("gift_card"),
  id: field.str(),
  amount: field.float(),
});

/** The model of a certificate, which the airline issues as compensation. A single payment uses it up. */
export const Certificate = defineModel("Certificate", {
  source: field.literal("certificate"),
  id: field.str(),
  amount: field.float(),
});

const User = defineModel("User", {
  user_id: field.str(),
  name: field.model(defineModel("Name", {
    first_name: field.str(),
    last_name: field.str(),
  })),
  address: field.model(defineModel("Address", {
    address1: field.str(),
    address2: field.optional(field.str()),
    city: field.str(),
    country: field.str(),
    state: field.str(),
    zip: field.str(),
  })),
  email: field.str(),
  dob: field.str(),
  payment_methods: field.map(field.tagged("source", {
    credit_card: CreditCard,
    gift_card: GiftCard,
    certificate: Certificate,
  })),
  saved_passengers: field.list(field.model(Passenger)),
  membership: field.literal("gold", "silver", "regular"),
  reservations: field.list(field.str()),
});

/** Creates the models of a flight's entry for one date, keyed by the entry's status. */
function dayModels() {
  const times = (status: string, ...fields: string[]) =>
    defineModel("FlightDateStatus", {
      status: field.literal(status),
      ...Object.fromEntries(fields.map((name) => [name, field.str()])),
    });
  const byCabin = () => field.map(field.int(), { keys: cabin() });
  const [departure, arrival] = [
    "estimated_departure_time_est",
    "estimated_arrival_time_est",
  ];
  const departed = "actual_departure_time_est";
  return {
    available: defineModel("FlightDateStatusAvailable", {
      status: field.literal("available"),
      available_seats: byCabin(),
      prices: byCabin(),
    }),
    landed: times("landed", departed, "actual_arrival_time_est"),
    cancelled: times("cancelled"),
    delayed: times("delayed", departure, arrival),
    flying: times("flying", departed, arrival),
    "on time": times("on time", departure, arrival),
  };
}

const Flight = defineModel("Flight", {
  flight_number: field.str(),
  origin: field.str(),
  destination: field.str(),
  scheduled_departure_time_est: field.str(),
  scheduled_arrival_time_est: field.str(),
  dates: field.map(field.tagged("status", dayModels())),
});

/** The row models, keyed by table. */
export const airlineModels: RowModels = {
  flights: Flight,
  users: User,
  reservations: Reservation,
};
