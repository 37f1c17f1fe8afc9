/** Draws bookings that policy allows: the trip in the user's words, and the gold actions that book it. */

import { call, object } from "../../shared/call.ts";
import { freeBags, PRICE_OF_A_BAG, PRICE_OF_INSURANCE } from "../goal/fares.ts";
import type { Trip } from "../goal/request.ts";
import { AIRPORTS } from "../tools/list_all_airports.ts";
import type { ToolAction } from "../../../types.ts";
import { happens } from "../../../generated/draw.ts";
import {
  cheapestPair,
  directFlight,
  drawDate,
  PICKS,
  type WantedFlight,
} from "./choose_flights.ts";
import {
  CABINS,
  type DrawnTrip,
  isForthcoming,
  legOf,
  sum,
  TODAY,
  travellerOf,
  wordsOf,
} from "./drawn.ts";
import { drawPayments } from "./payments.ts";
import type { AirlineWorld, Leg, Passenger } from "./rows.ts";

/** A booking that policy allows, and the actions that make it. */
export interface Booking {
  readonly trip: Trip;
  /** The origin's airport code, even if the trip names cities. */
  readonly from: string;
  /** The destination's airport code, even if the trip names cities. */
  readonly to: string;
  readonly actions: readonly ToolAction[];
}

/** On average, one in `CERTAIN_FLIGHT` bookings without stops asks for a specific outbound flight by its number. */
const CERTAIN_FLIGHT = 4;

/** Draws a booking, or returns `undefined` if the draw fails. */
export function drawBooking(
  world: AirlineWorld,
  user: Passenger,
): Booking | undefined {
  const { rng, options, routes } = world;
  const [from = "", to = ""] = rng.pick([...routes.keys()]).split("-");
  const passengers = drawParty(world, user);
  const seat = { cabin: rng.pick(CABINS), seats: passengers.length };
  const chosen = drawWays(world, { from, to, ...seat });
  if (chosen === undefined) return undefined;
  const insurance = rng.pick(["yes", "no"] as const);
  const bags = rng.int(2 + 2 * seat.seats);
  const isCity = rng.next() < options.cityNamesShare;
  const named = (code: string) => isCity ? AIRPORTS.get(code) ?? code : code;
  const trip: Trip = {
    from: named(from),
    to: named(to),
    ...chosen.words,
    cabin: seat.cabin,
    passengers,
    bags,
    insurance,
  };
  const made = bookingOf(world, { user, trip, from, to, ...chosen });
  const listing = isCity ? [call("list_all_airports", {})] : [];
  const actions = [...listing, ...chosen.searches, made.write];
  return { trip: { ...trip, pay: made.pay }, from, to, actions };
}

/** Converts a booking to a request. */
export function bookingRequest(
  world: AirlineWorld,
  { trip, actions }: Booking,
): DrawnTrip {
  return {
    request: { intent: "book", trip, forthcoming: isForthcoming(world) },
    actions,
    outputs: [],
  };
}

function drawParty({ rng, options }: AirlineWorld, user: Passenger) {
  const others = rng.shuffle(user.saved)
    .slice(0, rng.int(options.passengersMax));
  return [user.self, ...others];
}

/** The flights of a trip, the user's words for them, and the searches that show them. */
interface Ways {
  readonly legs: readonly Leg[];
  readonly words: Trip;
  readonly searches: readonly ToolAction[];
}

function drawWays(
  world: AirlineWorld,
  { from, to, ...seat }: Omit<WantedFlight, "date">,
): Ways | undefined {
  const { rng, options } = world;
  const stops = happens(rng, options.oneStopShare) ? { stops: 1 as const } : {};
  const pick = "stops" in stops ? "cheapest" : rng.pick(PICKS);
  const legsOn = (way: { from: string; to: string; date: string }) => {
    const wanted = { ...way, ...seat };
    if ("stops" in stops) return cheapestPair(world, wanted);
    const leg = directFlight(world, { ...wanted, pick });
    return leg && [leg];
  };
  const date = drawDate(world, { after: TODAY });
  const out = date && legsOn({ from, to, date });
  if (!date || !out) return undefined;
  const isRound = rng.next() < options.roundTripShare;
  const returnDate = isRound ? drawDate(world, { after: date }) : undefined;
  const back = returnDate && legsOn({ from: to, to: from, date: returnDate });
  if (isRound && !back) return undefined;
  const isCertain = !("stops" in stops) && rng.int(CERTAIN_FLIGHT) === 0;
  const search = "stops" in stops
    ? "search_onestop_flight"
    : "search_direct_flight";
  return {
    legs: [...out, ...back || []],
    words: {
      date,
      ...returnDate && { returnDate },
      ...(!isCertain || isRound) && { pick },
      ...isCertain && { flight: out[0]?.flight.number ?? "" },
      ...stops,
    },
    searches: [
      call(search, { origin: from, destination: to, date }),
      ...returnDate
        ? [call(search, { origin: to, destination: from, date: returnDate })]
        : [],
    ],
  };
}

function bookingOf(
  world: AirlineWorld,
  { user, trip, from, to, legs }: {
    user: Passenger;
    trip: Trip;
    from: string;
    to: string;
    legs: readonly Leg[];
  },
): { write: ToolAction; pay: string[] } {
  const { cabin = "economy", passengers = [], bags = 0, insurance = "no" } =
    trip;
  const seats = passengers.length;
  const free = freeBags(user.membership, cabin) * seats;
  const nonfree = Math.max(0, bags - free);
  const each = sum(legs.map(({ price }) => price)) +
    (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
  const total = each * seats + PRICE_OF_A_BAG * nonfree;
  const paid = drawPayments(world, { user, total });
  const write = call("book_reservation", {
    user_id: user.userId,
    origin: from,
    destination: to,
    flight_type: trip.returnDate === undefined ? "one_way" : "round_trip",
    cabin,
    flights: legs.map(legOf),
    passengers: passengers.map(travellerOf),
    payment_methods: paid.map(({ method, amount }) =>
      object({ payment_id: method.id, amount })
    ),
    total_baggages: bags,
    nonfree_baggages: nonfree,
    insurance,
  });
  return { write, pay: paid.map(({ method }) => wordsOf(method)) };
}
