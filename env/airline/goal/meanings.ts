/**
 * What an airline customer's words mean: every call that meets a request as it is worded.
 *
 * @module
 */

import type { Meant } from "../../goal/goal_domain.ts";
import type { JsonObject, JsonValue } from "../../python_value.ts";
import type { ToolAction } from "../../types.ts";
import { rows, text, texts } from "../../users/_read.ts";
import {
  airportOf,
  call,
  flightsFit,
  freeBags,
  methodsNamed,
  numberIn,
  object,
  PRICE_OF_A_BAG,
  PRICE_OF_INSURANCE,
  product,
  seatPrice,
} from "./fares.ts";
import { nameOf, type Traveller, type Trip } from "./trip.ts";

/** Every call that meets the request; none for a question. */
export function meanings(meant: Meant): ToolAction[] {
  const { request: { intent, trip }, database, userId } = meant;
  if (intent === "question" || trip === undefined) return [];
  const wish = { ...meant, trip, user: database.get("users", userId) };
  if (intent === "book") return bookings(wish);
  return reservationsMeant(meant).flatMap((id) =>
    onReservation(wish, { id, held: database.get("reservations", id) })
  );
}

/** The reservations that a request may be about: that of its id, or those of the customer on its route. */
export function reservationsMeant(
  { request: { trip }, database, userId }: Meant,
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

interface Wish extends Meant {
  readonly trip: Trip;
  readonly user: JsonObject | undefined;
}

function bookings({ trip, database, userId, user }: Wish): ToolAction[] {
  const { from = "", to = "", date = "", returnDate, cabin, passengers } = trip;
  if (cabin === undefined || passengers === undefined) return [];
  const seats = passengers.length;
  const { pick = "cheapest", bags = 0, insurance = "no" } = trip;
  const ways = [{ from, to, date }];
  if (returnDate !== undefined) {
    ways.push({ from: to, to: from, date: returnDate });
  }
  const choices = ways.map((way) =>
    flightsFit(database, { ...way, cabin, seats, pick }).map((flight) => ({
      flight,
      date: way.date,
    }))
  );
  const free = freeBags(text(user, "membership"), cabin) * seats;
  const nonfree = Math.max(0, bags - free);
  return product(choices).flatMap((legs) => {
    const fares = legs.map(({ flight, date }) =>
      seatPrice(flight, { date, cabin, seats }) ?? 0
    );
    const each = fares.reduce((sum, fare) => sum + fare, 0) +
      (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
    const total = each * seats + PRICE_OF_A_BAG * nonfree;
    return payments({ trip, user, total }).map((payment_methods) =>
      call("book_reservation", {
        user_id: userId,
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

/** Each method pays as far as it goes; the last one pays the rest. */
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
      return [
        call("send_certificate", { user_id: userId, amount: 100 * people }),
      ];
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
  return paying(trip, user).map((payment_id) =>
    call("update_reservation_baggages", {
      reservation_id: id,
      total_baggages: total,
      nonfree_baggages: Math.max(
        total - free,
        numberIn(held, "nonfree_baggages"),
      ),
      payment_id,
    })
  );
}

/** Who flies afterwards: the new one in the place of the one who does not, or at the end. */
function party(trip: Trip, held: JsonObject | undefined): JsonValue[] {
  const fresh = (trip.passengers ?? []).map(passenger);
  const were = rows(held, "passengers");
  const { replaced } = trip;
  return replaced === undefined
    ? [...were, ...fresh]
    : were.flatMap((one) => fullName(one) === replaced ? fresh : [one]);
}

/** The same legs in another cabin, or other legs in the same one. */
function flightsChanged(wish: Wish, { id, held }: Held): ToolAction[] {
  const { trip, user, database } = wish;
  const isCabin = wish.request.intent === "change_cabin";
  const cabin = isCabin ? trip.cabin : cabinOf(held);
  if (cabin === undefined) return [];
  const { pick = "cheapest" } = trip;
  const seats = rows(held, "passengers").length;
  const choices = rows(held, "flights").map((kept, i) => {
    const date = isCabin ? undefined : [trip.date, trip.returnDate][i];
    if (date === undefined) return [leg(kept, text(kept, "date"))];
    const [from, to] = [text(kept, "origin"), text(kept, "destination")];
    return flightsFit(database, { from, to, date, cabin, seats, pick })
      .map((flight) => leg(flight, date));
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

/** What one method may pay; all of the customer's where nothing is said. */
function paying({ pay }: Trip, user: JsonObject | undefined): string[] {
  return pay === undefined
    ? rows(user, "payment_methods").map((one) => text(one, "id"))
    : methodsNamed(user, pay[0] ?? "");
}

function leg(flight: JsonObject, date: string): JsonObject {
  return object({ flight_number: text(flight, "flight_number"), date });
}

/** A traveller as the tools have them. */
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
