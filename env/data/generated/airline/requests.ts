/**
 * Draws what airline customers want: the request in words, the gold actions and what must be told.
 *
 * @module
 */

import {
  call,
  freeBags,
  object,
  PRICE_OF_A_BAG,
  PRICE_OF_INSURANCE,
} from "../../../airline/goal/fares.ts";
import {
  type AirlineIntent,
  type Cabin,
  nameOf,
  type Pick,
  type Traveller,
  type Trip,
} from "../../../airline/goal/trip.ts";
import { AIRPORTS } from "../../../airline/tools/list_all_airports.ts";
import type { JsonValue } from "../../../python_value.ts";
import type { Request, ToolAction } from "../../../types.ts";
import type { Flight } from "./flights.ts";
import {
  type AirlineWorld,
  drawReservation,
  drawTraveller,
  type Leg,
  type Method,
  type Passenger,
  type Reservation,
  type ReservationWish,
} from "./rows.ts";

/** The kinds of request that are drawn. */
export type DrawnIntent = AirlineIntent | "cancel" | "question";

/** A request and how it is met. */
export interface DrawnTrip {
  readonly request: Request;
  /** Reads, then the write if there is one. */
  readonly actions: readonly ToolAction[];
  readonly outputs: readonly string[];
}

interface Of {
  readonly customer: Passenger;
  readonly intent: DrawnIntent;
}

const ECONOMIES: readonly Cabin[] = ["basic_economy", "economy"];
const CABINS: readonly Cabin[] = [...ECONOMIES, "business"];
const PICKS: readonly Pick[] = ["cheapest", "earliest", "latest"];

/** Draws a request; `undefined` where the draw came to nothing. */
export function drawTrip(world: AirlineWorld, of: Of): DrawnTrip | undefined {
  const { rng, options } = world;
  if (of.intent === "book") return drawBooking(world, of.customer);
  if (of.intent === "question") return drawQuestion(world, of.customer);
  return rng.next() < options.refusedShare
    ? drawRefused(world, of)
    : drawAllowed(world, of);
}

function drawAllowed(world: AirlineWorld, of: Of): DrawnTrip | undefined {
  const { rng } = world;
  const { customer, intent } = of;
  if (intent === "cancel") {
    const wish = rng.pick<ReservationWish>([
      { cabins: ECONOMIES, out: "available", insurance: "no", isFresh: true },
      { cabins: ["business"], out: "available", insurance: "no" },
      { cabins: ECONOMIES, out: "available", insurance: "yes" },
      { cabins: ECONOMIES, out: "cancelled", insurance: "no" },
    ]);
    const held = drawReservation(world, { customer, wish });
    if (held === undefined) return undefined;
    const write = call("cancel_reservation", { reservation_id: held.id });
    const lost = wish.out === "cancelled"
      ? { reason: "the airline cancelled a flight" }
      : {};
    const drawn = onReservation(world, { held, intent, trip: {}, write });
    return {
      ...drawn,
      request: { ...drawn.request, ...lost },
      actions: wish.out === "cancelled"
        ? withSearches(drawn.actions, held.legs)
        : drawn.actions,
    };
  }
  if (intent === "certificate") {
    const wish: ReservationWish = customer.membership === "regular"
      ? { cabins: ["business"], out: "cancelled" }
      : { cabins: CABINS, out: "cancelled", insurance: "no" };
    const held = drawReservation(world, { customer, wish });
    if (held === undefined) return undefined;
    const write = call("send_certificate", {
      user_id: customer.userId,
      amount: 100 * held.passengers.length,
    });
    const drawn = onReservation(world, { held, intent, trip: {}, write });
    return { ...drawn, actions: withSearches(drawn.actions, held.legs) };
  }
  const cabins: readonly Cabin[] = intent === "change_flights"
    ? ["economy", "business"]
    : CABINS;
  const wish: ReservationWish = { cabins, out: "available" };
  const held = drawReservation(world, { customer, wish });
  const change = held && drawChange(world, { customer, intent, held });
  if (held === undefined || change === undefined) return undefined;
  const { trip, write, searched = [] } = change;
  const drawn = onReservation(world, { held, intent, trip, write });
  return { ...drawn, actions: withSearches(drawn.actions, searched) };
}

interface Change {
  readonly trip: Trip;
  readonly write: ToolAction;
  readonly searched?: readonly FlightDay[];
}

interface FlightDay {
  readonly flight: Flight;
  readonly date: string;
}

function drawChange(
  world: AirlineWorld,
  { customer, intent, held }: Of & { readonly held: Reservation },
): Change | undefined {
  switch (intent) {
    case "add_bags":
      return changeBags(world, { customer, held, more: 1 + world.rng.int(3) });
    case "change_passengers":
      return changePassengers(world, held);
    case "change_cabin":
      return changeCabin(world, { customer, held });
    default:
      return changeFlights(world, { customer, held });
  }
}

function changeBags(
  { rng }: AirlineWorld,
  { customer, held, more }: {
    customer: Passenger;
    held: Reservation;
    more: number;
  },
): Change | undefined {
  const total = held.bags + more;
  const free = freeBags(customer.membership, held.cabin) *
    held.passengers.length;
  const nonfree = Math.max(total - free, held.nonfree);
  const price = PRICE_OF_A_BAG * (nonfree - held.nonfree);
  const method = drawPaying(rng, { customer, price });
  return {
    trip: { bags: more, pay: [wordsOf(method)] },
    write: call("update_reservation_baggages", {
      reservation_id: held.id,
      total_baggages: total,
      nonfree_baggages: nonfree,
      payment_id: method.id,
    }),
  };
}

function changePassengers(
  { rng }: AirlineWorld,
  held: Reservation,
): Change | undefined {
  const leaving = rng.pick(held.passengers);
  const fresh = drawTraveller(rng);
  if (held.passengers.some((one) => nameOf(one) === nameOf(fresh))) {
    return undefined;
  }
  return {
    trip: { passengers: [fresh], replaced: nameOf(leaving) },
    write: call("update_reservation_passengers", {
      reservation_id: held.id,
      passengers: held.passengers.map((one) =>
        travellerOf(one === leaving ? fresh : one)
      ),
    }),
  };
}

function changeCabin(
  { rng }: AirlineWorld,
  { customer, held }: { customer: Passenger; held: Reservation },
): Change | undefined {
  const cabin = rng.pick(CABINS.filter((one) => one !== held.cabin));
  const seats = held.passengers.length;
  const fares = held.legs.map(({ flight, date }) =>
    fareOf(flight, { date, cabin, seats })
  );
  if (fares.includes(undefined)) return undefined;
  const price = seats *
    (sum(fares) - sum(held.legs.map((leg) => leg.price)));
  if (price === 0) return undefined;
  const method = drawPaying(rng, { customer, price });
  return {
    trip: { cabin, pay: [wordsOf(method)] },
    write: flightsWrite(held, { cabin, legs: held.legs, method }),
    searched: held.legs,
  };
}

function changeFlights(
  world: AirlineWorld,
  { customer, held }: { customer: Passenger; held: Reservation },
): Change | undefined {
  const { rng } = world;
  const at = held.legs.length - 1; // the last one can move to a later day
  const old = held.legs[at];
  if (old === undefined) return undefined;
  const pick = rng.pick(PICKS);
  const seats = held.passengers.length;
  const earliest = held.legs[at - 1]?.date ?? "2024-05-15";
  const fresh = drawFlightOn(world, {
    from: old.flight.from,
    to: old.flight.to,
    after: earliest,
    not: old.date,
    cabin: held.cabin,
    seats,
    pick,
  });
  if (fresh === undefined) return undefined;
  const price = seats * (fresh.price - old.price);
  if (price === 0) return undefined;
  const method = drawPaying(rng, { customer, price });
  const legs = held.legs.map((leg, i) => i === at ? fresh : leg);
  return {
    trip: {
      ...(at === 0 ? { date: fresh.date } : { returnDate: fresh.date }),
      pick,
      pay: [wordsOf(method)],
    },
    write: flightsWrite(held, { cabin: held.cabin, legs, method }),
    searched: [fresh],
  };
}

function flightsWrite(
  held: Reservation,
  { cabin, legs, method }: {
    cabin: Cabin;
    legs: readonly Leg[];
    method: Method;
  },
): ToolAction {
  return call("update_reservation_flights", {
    reservation_id: held.id,
    cabin,
    flights: legs.map(legOf),
    payment_id: method.id,
  });
}

function drawBooking(
  world: AirlineWorld,
  customer: Passenger,
): DrawnTrip | undefined {
  const { rng, options, routes } = world;
  const [from = "", to = ""] = rng.pick([...routes.keys()]).split("-");
  const cabin = rng.pick(CABINS);
  const pick = rng.pick(PICKS);
  const others = rng.shuffle(customer.saved)
    .slice(0, rng.int(options.passengersMax));
  const passengers = [customer.self, ...others];
  const seats = passengers.length;
  const common = { cabin, seats, pick };
  const out = drawFlightOn(world, { from, to, after: "2024-05-15", ...common });
  if (out === undefined) return undefined;
  const legs = [out];
  if (rng.next() < options.roundTripShare) {
    const back = { from: to, to: from, after: out.date, ...common };
    const leg = drawFlightOn(world, back);
    if (leg === undefined) return undefined;
    legs.push(leg);
  }
  const insurance = rng.pick(["yes", "no"] as const);
  const bags = rng.int(2 + 2 * seats);
  const free = freeBags(customer.membership, cabin) * seats;
  const nonfree = Math.max(0, bags - free);
  const each = sum(legs.map(({ price }) => price)) +
    (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
  const total = each * seats + PRICE_OF_A_BAG * nonfree;
  const paid = drawPayments(world, { customer, total });
  const isCity = rng.next() < options.cityNamesShare;
  const named = (code: string) => isCity ? AIRPORTS.get(code) ?? code : code;
  const [, back] = legs;
  const trip: Trip = {
    from: named(from),
    to: named(to),
    date: out.date,
    ...back && { returnDate: back.date },
    pick,
    cabin,
    passengers,
    bags,
    insurance,
    pay: paid.map(({ method }) => wordsOf(method)),
  };
  const write = call("book_reservation", {
    user_id: customer.userId,
    origin: from,
    destination: to,
    flight_type: legs.length > 1 ? "round_trip" : "one_way",
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
  const listing = isCity ? [call("list_all_airports", {})] : [];
  return {
    request: { intent: "book", trip, forthcoming: isForthcoming(world) },
    actions: withSearches([...listing, write], legs),
    outputs: [],
  };
}

/** Which clause refuses what, on which reservation. */
const REFUSALS: Readonly<Record<string, readonly [string, ReservationWish][]>> =
  {
    cancel: [
      ["cancel.allowed", {
        cabins: ECONOMIES,
        out: "available",
        insurance: "no",
      }],
      ["cancel.not_flown", { cabins: CABINS, out: "landed" }],
    ],
    change_flights: [
      ["change.basic_economy", { cabins: ["basic_economy"], out: "available" }],
    ],
    change_passengers: [
      ["passengers.number", { cabins: CABINS, out: "available" }],
    ],
    add_bags: [["bags.not_fewer", { cabins: CABINS, out: "available" }]],
  };

function drawRefused(world: AirlineWorld, of: Of): DrawnTrip | undefined {
  const { rng } = world;
  const { customer, intent } = of;
  const known = REFUSALS[intent];
  if (known === undefined || rng.int(4) === 0) return drawOther(world, of);
  const [clause, wish] = rng.pick(known);
  const held = drawReservation(world, { customer, wish });
  if (held === undefined) return undefined;
  const trip = refusedTrip(world, { customer, intent, held });
  if (trip === undefined) return undefined;
  const told = clause === "cancel.allowed"
    ? held.createdAt
    : held.legs[0]?.flight.number ?? "";
  return refusal(world, { held, intent, trip, clause, told });
}

/** The same wishes on a reservation of somebody else. */
function drawOther(
  world: AirlineWorld,
  { customer, intent }: Of,
): DrawnTrip | undefined {
  const held = drawReservation(world, {
    customer: world.stranger(),
    wish: { cabins: ["economy"], out: "available" },
  });
  if (held === undefined) return undefined;
  const what = intent === "add_bags" || intent === "change_passengers"
    ? intent
    : "cancel";
  const trip = what === "cancel"
    ? {}
    : drawChange(world, { customer, intent: what, held })?.trip;
  if (trip === undefined) return undefined;
  return refusal(world, {
    held,
    intent: what,
    trip,
    clause: "account.own_reservation",
    told: customer.userId,
    isOther: true,
  });
}

function refusedTrip(
  { rng }: AirlineWorld,
  { customer, intent, held }: Of & { readonly held: Reservation },
): Trip | undefined {
  if (intent === "change_flights") {
    const old = held.legs[0]?.date ?? "";
    const dates = [...held.legs[0]?.flight.days.keys() ?? []].filter((date) =>
      date > "2024-05-15" && date !== old
    );
    const date = rng.pick(dates);
    const pay = [wordsOf(drawPaying(rng, { customer, price: 1000 }))];
    return { date, pick: rng.pick(PICKS), pay };
  }
  if (intent === "change_passengers") {
    return { passengers: [drawTraveller(rng)] };
  }
  if (intent === "add_bags") {
    return held.bags === 0 ? undefined : { bags: -1, pay: ["credit card"] };
  }
  return {};
}

function refusal(
  world: AirlineWorld,
  { held, intent, trip, clause, told, isOther = false }: {
    held: Reservation;
    intent: DrawnIntent;
    trip: Trip;
    clause: string;
    told: string;
    isOther?: boolean;
  },
): DrawnTrip {
  const drawn = onReservation(world, { held, intent, trip, isStated: isOther });
  const outputs = [told];
  return {
    actions: drawn.actions,
    outputs,
    request: { ...drawn.request, refused: true, refusedBy: clause, outputs },
  };
}

function drawQuestion(
  world: AirlineWorld,
  customer: Passenger,
): DrawnTrip | undefined {
  const { rng, routes } = world;
  const kind = rng.int(4);
  if (kind === 0) {
    const card = customer.methods.find(({ source }) => source === "gift_card");
    return {
      request: { intent: "question", question: "balance of my gift card" },
      actions: [],
      outputs: [String(card?.amount ?? 0)],
    };
  }
  if (kind === 1) {
    const [from = "", to = ""] = rng.pick([...routes.keys()]).split("-");
    const cabin = rng.pick(CABINS);
    const pick = rng.pick(PICKS);
    const wanted = { from, to, after: "2024-05-15", cabin, seats: 1, pick };
    const leg = drawFlightOn(world, wanted);
    if (leg === undefined) return undefined;
    const { date } = leg;
    return {
      request: {
        intent: "question",
        trip: { from, to, date, pick, cabin },
        question:
          `number of the ${pick} direct flight from ${from} to ${to} on ${date} with a free ${
            cabin.replace("_", " ")
          } seat`,
      },
      actions: withSearches([], [leg]),
      outputs: [leg.flight.number],
    };
  }
  const held = drawReservation(world, {
    customer,
    wish: { cabins: CABINS, out: "available" },
  });
  if (held === undefined) return undefined;
  const drawn = onReservation(world, { held, intent: "question", trip: {} });
  const { reservationId, from, to } = drawn.request.trip ?? {};
  const words = reservationId === undefined
    ? `my trip from ${from} to ${to}`
    : `reservation ${reservationId}`;
  const [question, answer] = kind === 2
    ? [`price paid for ${words}`, String(held.total)]
    : [`number of the first flight of ${words}`, held.legs[0]?.flight.number];
  return {
    request: { ...drawn.request, question },
    actions: drawn.actions,
    outputs: [answer ?? ""],
  };
}

/** A request on a reservation that is named by its id or by its route. */
function onReservation(
  world: AirlineWorld,
  { held, intent, trip, write, isStated = false }: {
    held: Reservation;
    intent: DrawnIntent;
    trip: Trip;
    write?: ToolAction;
    isStated?: boolean;
  },
): DrawnTrip {
  const { rng, options } = world;
  const known = isStated || rng.next() < options.reservationStatedShare;
  const about = known
    ? { reservationId: held.id }
    : { from: held.from, to: held.to };
  return {
    request: {
      intent,
      trip: { ...about, ...trip },
      ...intent !== "question" && { forthcoming: isForthcoming(world) },
    },
    actions: [
      call("get_reservation_details", { reservation_id: held.id }),
      ...write === undefined ? [] : [write],
    ],
    outputs: [],
  };
}

/** The actions with searches before the write. */
function withSearches(
  actions: readonly ToolAction[],
  legs: readonly { readonly flight: Flight; readonly date: string }[],
): ToolAction[] {
  const searches = legs.map(({ flight, date }) =>
    call("search_direct_flight", {
      origin: flight.from,
      destination: flight.to,
      date,
    })
  );
  const at = actions.findIndex(({ name }) =>
    /^(book|update|cancel|send)_/.test(name)
  );
  const reads = at < 0 ? actions : actions.slice(0, at);
  return [...reads, ...searches, ...at < 0 ? [] : actions.slice(at)];
}

/** The flight of a day that is meant; `undefined` where none or several are. */
function drawFlightOn(
  { rng, routes }: AirlineWorld,
  { from, to, after, not, cabin, seats, pick }: {
    from: string;
    to: string;
    after: string;
    not?: string;
    cabin: Cabin;
    seats: number;
    pick: Pick;
  },
): Leg | undefined {
  const flights = routes.get(`${from}-${to}`) ?? [];
  const dates = [...flights[0]?.days.keys() ?? []].filter((date) =>
    date > after && date !== not
  );
  if (dates.length === 0) return undefined;
  const date = rng.pick(dates);
  const open = flights.flatMap((flight): Leg[] => {
    const price = fareOf(flight, { date, cabin, seats });
    return price === undefined ? [] : [{ flight, date, price }];
  }).sort((a, b) =>
    pick === "cheapest" ? a.price - b.price : (pick === "earliest" ? 1 : -1) *
      (a.flight.departure < b.flight.departure ? -1 : 1)
  );
  const [best, next] = open;
  const isTied = pick === "cheapest" && best?.price === next?.price;
  return isTied ? undefined : best;
}

function fareOf(
  flight: Flight,
  { date, cabin, seats }: { date: string; cabin: string; seats: number },
): number | undefined {
  const day = flight.days.get(date);
  return (day?.seats?.[cabin] ?? 0) >= seats ? day?.prices?.[cabin] : undefined;
}

/** A card that can pay for a change. */
function drawPaying(
  rng: AirlineWorld["rng"],
  { customer, price }: { customer: Passenger; price: number },
): Method {
  return rng.pick(
    customer.methods.filter(({ source, amount }) =>
      source === "credit_card" || source === "gift_card" && amount >= price
    ),
  );
}

/** A certificate first, then a gift card, then the credit card: as many of them as are needed, at random. */
function drawPayments(
  { rng }: AirlineWorld,
  { customer, total }: { customer: Passenger; total: number },
): { method: Method; amount: number }[] {
  const order = ["certificate", "gift_card"].filter(() => rng.int(2) === 0);
  const paid: { method: Method; amount: number }[] = [];
  let left = total;
  for (const source of [...order, "credit_card"]) {
    const method = customer.methods.find((one) => one.source === source);
    if (method === undefined || left === 0) continue;
    const amount = source === "credit_card"
      ? left
      : Math.min(left, method.amount);
    paid.push({ method, amount });
    left -= amount;
  }
  return paid;
}

function isForthcoming({ rng, options }: AirlineWorld): boolean {
  return rng.next() < options.detailsStatedShare;
}

function wordsOf({ source }: Method): string {
  return source.replace("_", " ");
}

function legOf({ flight, date }: Leg): JsonValue {
  return object({ flight_number: flight.number, date });
}

function travellerOf({ firstName, lastName, dob }: Traveller): JsonValue {
  return object({ first_name: firstName, last_name: lastName, dob });
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
}
