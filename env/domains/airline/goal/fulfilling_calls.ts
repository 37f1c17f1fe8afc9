/**
 * Finds the calls that fulfill an airline user's request. Uses the user's words and the rows that they describe, but
 * not the gold actions.
 */

import { call, object } from "../../shared/call.ts";
import type { Database } from "../../../database.ts";
import type { RequestContext } from "../../../domain.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { numberIn, rows, text, texts } from "../../shared/read_row.ts";
import {
  airportOf,
  connectionsFit,
  type FlightCriteria,
  flightsFit,
  freeBags,
  methodsNamed,
  PRICE_OF_A_BAG,
  PRICE_OF_INSURANCE,
  product,
  seatPrice,
} from "./fares.ts";
import {
  type AirlineRequest,
  nameOf,
  type Traveller,
  type Trip,
} from "./request.ts";
import { newWays, tripWays, type Way } from "./ways.ts";

/** Returns every call that fulfills a request. The list is empty for a question. */
export function fulfillingCalls(
  context: RequestContext<AirlineRequest>,
): ToolAction[] {
  const { request: { intent, trip }, database, userId } = context;
  if (intent === "question" || trip === undefined) return [];
  const wish = { ...context, trip, user: database.get("users", userId) };
  if (intent === "book") return bookings(wish);
  return candidateReservations(context).flatMap((id) =>
    onReservation(wish, { id, held: database.get("reservations", id) })
  );
}

/**
 * Returns the ids of the reservations that a request may refer to: the stated id, if there is such a reservation, or
 * the ids of all the user's reservations on the stated route.
 */
export function candidateReservations(
  { request: { trip }, database, userId }: RequestContext<AirlineRequest>,
): string[] {
  if (trip?.reservationId !== undefined) {
    return database.has("reservations", trip.reservationId)
      ? [trip.reservationId]
      : [];
  }
  const { from, to } = trip ?? {};
  if (from === undefined || to === undefined) return [];
  const own = texts(database.get("users", userId), "reservations");
  return own.filter((id) => {
    const held = database.get("reservations", id);
    return text(held, "origin") === airportOf(from) &&
      text(held, "destination") === airportOf(to);
  });
}

interface Wish extends RequestContext {
  readonly trip: Trip;
  readonly user: JsonObject | undefined;
}

function bookings(wish: Wish): ToolAction[] {
  const { trip, database, userId, user } = wish;
  const { from, to, returnDate, cabin, passengers } = trip;
  if (
    from === undefined || to === undefined || cabin === undefined ||
    passengers === undefined
  ) return [];
  const seats = passengers.length;
  const { bags = 0, insurance = "no" } = trip;
  const choices = tripWays(trip).map((way) =>
    ways(database, trip, { ...way, cabin, seats })
  );
  if (choices.length === 0) return [];
  const free = freeBags(text(user, "membership"), cabin) * seats;
  const nonfree = trip.unpaid === true ? 0 : Math.max(0, bags - free);
  return product(choices).map((way) => way.flat()).flatMap((legs) => {
    const fares = legs.map(({ flight, date }) =>
      seatPrice(flight, { date, cabin, seats }) ?? 0
    );
    const each = fares.reduce((sum, fare) => sum + fare, 0) +
      (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
    const total = each * seats + PRICE_OF_A_BAG * nonfree;
    return payments({ trip, user, total }).map((payment_methods) =>
      call("book_reservation", {
        user_id: trip.account ?? userId,
        origin: airportOf(from),
        destination: airportOf(to),
        flight_type: returnDate === undefined ? "one_way" : "round_trip",
        cabin,
        flights: legs.map(({ flight, date }) => leg(flight, date)),
        passengers: passengers.map(passenger),
        payment_methods,
        total_baggages: bags,
        nonfree_baggages: nonfree,
        insurance,
      })
    );
  });
}

/** A flight on a given date. */
interface Leg {
  readonly flight: JsonObject;
  readonly date: string;
}

/**
 * Returns every matching connection between two airports: a specific flight, direct flights, or pairs of flights with a
 * stop.
 */
function ways(
  database: Database,
  { pick = "cheapest", stops }: Trip,
  { flight, ...way }: Way & Omit<FlightCriteria, "pick">,
): Leg[][] {
  const { date } = way;
  const certain = database.get("flights", flight ?? "");
  const found = flight !== undefined
    ? certain === undefined ? [] : [[certain]]
    : stops === undefined
    ? flightsFit(database, { ...way, pick }).map((one) => [one])
    : connectionsFit(database, way);
  return found.map((legs) => legs.map((one) => ({ flight: one, date })));
}

/**
 * Returns every way to split the total among payment methods of the requested kinds. Each method pays up to its
 * balance, and the last one pays the rest.
 */
function payments(
  { trip: { pay = [] }, user, total }: {
    trip: Trip;
    user: JsonObject | undefined;
    total: number;
  },
): JsonValue[][] {
  const held = new Map(
    rows(user, "payment_methods").map((
      one,
    ) => [text(one, "id"), numberIn(one, "amount")]),
  );
  return product(pay.map((words) => methodsNamed(user, words)))
    .filter((ids) => new Set(ids).size === ids.length)
    .map((ids) => {
      let left = total;
      return ids.map((payment_id, i) => {
        const amount = i === ids.length - 1
          ? left
          : Math.min(left, held.get(payment_id) ?? 0);
        left -= amount;
        return object({ payment_id, amount });
      });
    });
}

interface Held {
  readonly id: string;
  readonly held: JsonObject | undefined;
}

function onReservation(wish: Wish, { id, held }: Held): ToolAction[] {
  const { request, trip, userId } = wish;
  switch (request.intent) {
    case "cancel":
      return [call("cancel_reservation", { reservation_id: id })];
    case "certificate": {
      const people = rows(held, "passengers").length;
      const amount = (trip.delayed === true ? 50 : 100) * people;
      const user_id = trip.account ?? userId;
      return [call("send_certificate", { user_id, amount })];
    }
    case "add_bags":
      return bagsAdded(wish, { id, held });
    case "change_passengers":
      return [call("update_reservation_passengers", {
        reservation_id: id,
        passengers: party(trip, held),
      })];
    default:
      return flightsChanged(wish, { id, held });
  }
}

function bagsAdded({ trip, user }: Wish, { id, held }: Held): ToolAction[] {
  const total = numberIn(held, "total_baggages") + (trip.bags ?? 0);
  const free = freeBags(text(user, "membership"), text(held, "cabin")) *
    rows(held, "passengers").length;
  const paid = numberIn(held, "nonfree_baggages");
  const due = trip.unpaid === true ? paid : Math.max(total - free, paid);
  return paying(trip, user).map((payment_id) =>
    call("update_reservation_baggages", {
      reservation_id: id,
      total_baggages: total,
      nonfree_baggages: due,
      payment_id,
    })
  );
}

/**
 * Returns a reservation's passengers after a change. A new passenger takes the position of the replaced passenger, or
 * is appended if nobody is replaced.
 */
function party(trip: Trip, held: JsonObject | undefined): JsonValue[] {
  const fresh = (trip.passengers ?? []).map(passenger);
  const were = rows(held, "passengers");
  const { replaced } = trip;
  return replaced === undefined
    ? [...were, ...fresh]
    : were.flatMap((one) => fullName(one) === replaced ? fresh : [one]);
}

/** Returns the calls that change a reservation's cabin, or its flights within the same cabin. */
function flightsChanged(wish: Wish, { id, held }: Held): ToolAction[] {
  const { trip, user, database } = wish;
  const isCabin = wish.request.intent === "change_cabin";
  const cabin = isCabin ? trip.cabin : cabinOf(held);
  if (cabin === undefined) return [];
  const seats = rows(held, "passengers").length;
  const fresh = isCabin ? [] : newWays(trip, held);
  const choices = rows(held, "flights").map((kept, i) => {
    const way = fresh[i];
    return way === undefined
      ? [leg(kept, text(kept, "date"))]
      : ways(database, trip, { ...way, cabin, seats }).flat()
        .map(({ flight, date }) => leg(flight, date));
  });
  return product(choices).flatMap((flights) =>
    paying(trip, user).map((payment_id) =>
      call("update_reservation_flights", {
        reservation_id: id,
        cabin,
        flights,
        payment_id,
      })
    )
  );
}

function cabinOf(held: JsonObject | undefined): Trip["cabin"] {
  const cabin = text(held, "cabin");
  return cabin === "basic_economy" || cabin === "economy" ||
      cabin === "business"
    ? cabin
    : undefined;
}

/**
 * Returns the ids of the user's payment methods of the first kind that the request names, or of all the user's payment
 * methods if it names none.
 */
function paying({ pay }: Trip, user: JsonObject | undefined): string[] {
  return pay === undefined
    ? rows(user, "payment_methods").map((one) => text(one, "id"))
    : methodsNamed(user, pay[0] ?? "");
}

function leg(flight: JsonObject, date: string): JsonObject {
  return object({ flight_number: text(flight, "flight_number"), date });
}

/** Converts a traveler to the tools' format for passengers. */
function passenger({ firstName, lastName, dob }: Traveller): JsonObject {
  return object({ first_name: firstName, last_name: lastName, dob });
}

function fullName(one: JsonObject): string {
  return nameOf({
    firstName: text(one, "first_name"),
    lastName: text(one, "last_name"),
    dob: "",
  });
}
