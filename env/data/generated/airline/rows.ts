/**
 * Customers and reservations of the generated airline world, in τ-bench's format.
 *
 * @module
 */

import {
  type Cabin,
  nameOf,
  type Traveller,
} from "../../../airline/goal/trip.ts";
import {
  freeBags,
  PRICE_OF_A_BAG,
  PRICE_OF_INSURANCE,
} from "../../../airline/goal/fares.ts";
import { fromPlain, type JsonObject } from "../../../python_value.ts";
import type { Rng } from "../../../random.ts";
import type { Goal } from "../../../types.ts";
import { between, type Ids } from "../draw.ts";
import {
  CARD_BRANDS,
  CITIES,
  FIRST_NAMES,
  LAST_NAMES,
  STREETS,
} from "../retail/words.ts";
import { drawPrice, type Flight } from "./flights.ts";
import type { AirlineOptions } from "./options.ts";

/** What rows are drawn with. */
export interface AirlineWorld {
  readonly rng: Rng;
  readonly ids: Ids;
  readonly options: AirlineOptions;
  readonly routes: ReadonlyMap<string, readonly Flight[]>;
  /** A customer with no tasks, to own what is not the caller's. */
  stranger(): Passenger;
}

/** Where a customer's money comes from; `amount` is 0 for credit cards. */
export interface Method {
  readonly id: string;
  readonly source: "credit_card" | "gift_card" | "certificate";
  readonly amount: number;
}

/** A customer. `reservations` grows while the customer's tasks are drawn. */
export interface Passenger {
  readonly userId: string;
  readonly identity: Goal["identity"];
  readonly self: Traveller;
  readonly membership: "regular" | "silver" | "gold";
  readonly methods: readonly Method[];
  readonly saved: readonly Traveller[];
  readonly reservations: Reservation[];
  readonly row: Readonly<Record<string, unknown>>;
}

/** A leg of a reservation, at the price that was paid for it. */
export interface Leg {
  readonly flight: Flight;
  readonly date: string;
  readonly price: number;
}

/** A reservation. */
export interface Reservation {
  readonly id: string;
  readonly userId: string;
  readonly from: string;
  readonly to: string;
  readonly cabin: Cabin;
  readonly legs: readonly Leg[];
  readonly passengers: readonly Traveller[];
  readonly paidBy: Method;
  readonly total: number;
  readonly bags: number;
  readonly nonfree: number;
  readonly insurance: "yes" | "no";
  readonly createdAt: string;
}

/** What a reservation should be like. */
export interface ReservationWish {
  readonly cabins: readonly Cabin[];
  /** Of the flight out: it can be booked, has been flown, or the airline has cancelled it. */
  readonly out: "available" | "landed" | "cancelled";
  readonly insurance?: "yes" | "no";
  /** Whether it was booked within a day. */
  readonly isFresh?: boolean;
}

/** A person. */
export function drawTraveller(rng: Rng): Traveller {
  const two = (n: number) => String(1 + rng.int(n)).padStart(2, "0");
  return {
    firstName: rng.pick(FIRST_NAMES),
    lastName: rng.pick(LAST_NAMES),
    dob: `${1950 + rng.int(55)}-${two(12)}-${two(28)}`,
  };
}

/** A customer without reservations. */
export function drawPassenger({ rng, ids }: AirlineWorld): Passenger {
  const self = drawTraveller(rng);
  const { firstName, lastName, dob } = self;
  const userId = ids.draw(rng, {
    prefix: `${firstName}_${lastName}_`,
    digits: 4,
  });
  const email = `${firstName}.${lastName}${userId.slice(-4)}@mail.com`;
  const [city, state] = rng.pick(CITIES);
  const zip = String(10000 + rng.int(90000));
  const methods = drawMethods(rng, ids);
  const membership = rng.pick(["regular", "silver", "gold"] as const);
  const saved = Array.from({ length: 4 }, () => drawTraveller(rng));
  const row = {
    name: { first_name: firstName, last_name: lastName },
    address: {
      address1: `${10 + rng.int(90)} ${rng.pick(STREETS)}`,
      address2: "",
      city,
      country: "usa",
      state,
      zip,
    },
    email,
    dob,
    payment_methods: Object.fromEntries(
      methods.map((one) => [one.id, methodRow(rng, one)]),
    ),
    saved_passengers: saved.map(travellerRow),
    membership,
  };
  const identity = {
    firstName,
    lastName,
    zip,
    email,
    prefers: "email",
    userId,
  } as const;
  return {
    userId,
    identity,
    self,
    membership,
    methods,
    saved,
    reservations: [],
    row,
  };
}

function drawMethods(rng: Rng, ids: Ids): Method[] {
  const own = (source: Method["source"], amount: number): Method => ({
    id: ids.draw(rng, { prefix: `${source}_`, digits: 7 }),
    source,
    amount,
  });
  return [
    own("credit_card", 0),
    own("gift_card", 60 + rng.int(240)),
    ...(rng.int(2) === 0 ? [own("certificate", 50 * (1 + rng.int(4)))] : []),
  ];
}

function methodRow(rng: Rng, { id, source, amount }: Method) {
  return source === "credit_card"
    ? {
      source,
      brand: rng.pick(CARD_BRANDS),
      last_four: String(1000 + rng.int(9000)),
      id,
    }
    : { source, amount, id };
}

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/** A reservation of `customer` on a route that they have no other one on; `undefined` where nothing fits. */
export function drawReservation(
  world: AirlineWorld,
  { customer, wish }: { customer: Passenger; wish: ReservationWish },
): Reservation | undefined {
  const { rng, ids, options, routes } = world;
  const taken = new Set(
    customer.reservations.flatMap(({ from, to }) => [
      `${from}-${to}`,
      `${to}-${from}`,
    ]),
  );
  const route = rng.pick([...routes.keys()]);
  if (taken.has(route)) return undefined;
  const [from = "", to = ""] = route.split("-");
  const cabin = rng.pick(wish.cabins);
  const first = drawLeg(world, { route, cabin, status: wish.out });
  if (first === undefined) return undefined;
  const legs = [first];
  if (rng.next() < options.roundTripShare) {
    const back = drawLeg(world, {
      route: `${to}-${from}`,
      cabin,
      status: "available",
      after: first.date,
    });
    if (back === undefined) return undefined;
    legs.push(back);
  }
  const others = rng.shuffle(customer.saved)
    .slice(0, rng.int(options.passengersMax));
  const passengers = [customer.self, ...others];
  const names = new Set(passengers.map(nameOf));
  if (names.size < passengers.length) return undefined;
  const insurance = wish.insurance ?? rng.pick(["yes", "no"] as const);
  const free = freeBags(customer.membership, cabin) * passengers.length;
  const bags = rng.int(3) + (rng.int(2) === 0 ? 0 : free);
  const nonfree = Math.max(0, bags - free);
  const fares = legs.reduce((sum, { price }) => sum + price, 0) +
    (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
  const reservation: Reservation = {
    id: drawReservationId(rng, ids),
    userId: customer.userId,
    from,
    to,
    cabin,
    legs,
    passengers,
    paidBy: rng.pick(
      customer.methods.filter(({ source }) => source === "credit_card"),
    ),
    total: fares * passengers.length + PRICE_OF_A_BAG * nonfree,
    bags,
    nonfree,
    insurance,
    createdAt: drawTime(rng, wish.isFresh ?? false),
  };
  customer.reservations.push(reservation);
  return reservation;
}

function drawLeg(
  { rng, routes }: AirlineWorld,
  { route, cabin, status, after = "" }: {
    route: string;
    cabin: Cabin;
    status: string;
    after?: string;
  },
): Leg | undefined {
  const flight = rng.pick(routes.get(route) ?? []);
  // A flight of today or of earlier days that was cancelled cannot be told from one that has left.
  const dates = [...flight.days].filter(([date, day]) =>
    day.status === status && date > after &&
    (status === "landed" ? date < "2024-05-15" : date > "2024-05-15")
  ).map(([date]) => date);
  return dates.length === 0
    ? undefined
    : { flight, date: rng.pick(dates), price: drawPrice(rng, cabin) };
}

function drawReservationId(rng: Rng, ids: Ids): string {
  for (;;) {
    let id = "";
    for (let i = 0; i < 3; i++) id += LETTERS[rng.int(LETTERS.length)];
    for (let i = 0; i < 3; i++) id += rng.pick([..."ABCDEFGHJK23456789"]);
    if (!id.startsWith("HAT") && ids.claim(id)) return id;
  }
}

/** Within the day before now, or up to two weeks before that. */
function drawTime(rng: Rng, isFresh: boolean): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = isFresh ? 15 : between(rng, 1, 13);
  const hour = isFresh ? rng.int(14) : rng.int(24);
  return `2024-05-${two(day)}T${two(hour)}:${two(rng.int(60))}:${
    two(rng.int(60))
  }`;
}

function travellerRow({ firstName, lastName, dob }: Traveller) {
  return { first_name: firstName, last_name: lastName, dob };
}

/** A customer as a row. */
export function passengerRow({ row, reservations }: Passenger): JsonObject {
  const ids = reservations.map(({ id }) => id);
  return fromPlain({ ...row, reservations: ids }) as JsonObject;
}

/** A reservation as a row. */
export function reservationRow(one: Reservation): JsonObject {
  return fromPlain({
    reservation_id: one.id,
    user_id: one.userId,
    origin: one.from,
    destination: one.to,
    flight_type: one.legs.length > 1 ? "round_trip" : "one_way",
    cabin: one.cabin,
    flights: one.legs.map(({ flight, date, price }) => ({
      origin: flight.from,
      destination: flight.to,
      flight_number: flight.number,
      date,
      price,
    })),
    passengers: one.passengers.map(travellerRow),
    payment_history: [{ payment_id: one.paidBy.id, amount: one.total }],
    created_at: one.createdAt,
    total_baggages: one.bags,
    nonfree_baggages: one.nonfree,
    insurance: one.insurance,
  }) as JsonObject;
}
