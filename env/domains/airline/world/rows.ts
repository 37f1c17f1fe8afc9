/** Draws users and reservations of the generated airline world, in τ-bench's format. */

import {
  type AirlineGoal,
  type Cabin,
  nameOf,
  type Traveller,
} from "../goal/request.ts";
import { freeBags, PRICE_OF_A_BAG, PRICE_OF_INSURANCE } from "../goal/fares.ts";
import { fromPlain, type JsonObject } from "../../../python/python_value.ts";
import type { Rng } from "../../../random.ts";
import { between, type Ids } from "../../../generated/draw.ts";
import {
  CARD_BRANDS,
  CITIES,
  FIRST_NAMES,
  LAST_NAMES,
  STREETS,
} from "../../../generated/people.ts";
import { drawPrice, type Flight } from "./flight_rows.ts";
import type { AirlineOptions } from "./options.ts";

const TODAY = "2024-05-15";

/** The state from which the rows of the generated airline world are drawn. */
export interface AirlineWorld {
  readonly rng: Rng;
  readonly ids: Ids;
  readonly options: AirlineOptions;
  readonly routes: ReadonlyMap<string, readonly Flight[]>;
  /**
   * The users drawn for the current batch so far or, for tasks about an existing database, all eligible users in it.
   */
  readonly people: Passenger[];
}

/** A user's payment method; `amount` is 0 for credit cards. */
export interface Method {
  readonly id: string;
  readonly source: "credit_card" | "gift_card" | "certificate";
  readonly amount: number;
  readonly row: Readonly<Record<string, unknown>>;
}

/**
 * A user, generated or read from an existing database. `methods` and `reservations` grow while tasks in a generated
 * world are drawn.
 */
export interface Passenger {
  readonly userId: string;
  readonly identity: AirlineGoal["identity"];
  readonly self: Traveller;
  readonly membership: "regular" | "silver" | "gold";
  readonly methods: Method[];
  readonly saved: readonly Traveller[];
  readonly reservations: Reservation[];
  readonly row: Readonly<Record<string, unknown>>;
}

/** A leg of a reservation, with the price paid for it. */
export interface Leg {
  readonly flight: Flight;
  readonly date: string;
  readonly price: number;
}

/** A reservation, generated or read from an existing database. {@linkcode reservationRow} converts it to a row. */
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
  readonly isCancelled: boolean;
}

/** The properties that a drawn reservation must have. */
export interface ReservationWish {
  readonly cabins: readonly Cabin[];
  /** The outbound flight's status: bookable, flown, delayed today, or cancelled by the airline. */
  readonly out: "available" | "landed" | "delayed" | "cancelled";
  readonly insurance?: "yes" | "no";
  /** Whether the reservation was booked within the last 24 hours. */
  readonly isFresh?: boolean;
  /** Whether the reservation was cancelled and refunded. */
  readonly isCancelled?: boolean;
}

/** Draws a person's name and date of birth. */
export function drawTraveller(rng: Rng): Traveller {
  const two = (n: number) => String(1 + rng.int(n)).padStart(2, "0");
  return {
    firstName: rng.pick(FIRST_NAMES),
    lastName: rng.pick(LAST_NAMES),
    dob: `${1950 + rng.int(55)}-${two(12)}-${two(28)}`,
  };
}

/**
 * Draws a user without reservations and adds them to `people`: the user of a task, or a stranger whose rows the task's
 * user must not touch.
 */
export function drawPassenger({ rng, ids, people }: AirlineWorld): Passenger {
  const self = drawTraveller(rng);
  const { firstName, lastName, dob } = self;
  const userId = ids.draw(rng, {
    prefix: `${firstName}_${lastName}_`,
    digits: 4,
  });
  const email = `${firstName}.${lastName}${userId.slice(-4)}@mail.com`;
  const [city, state] = rng.pick(CITIES);
  const zip = String(10000 + rng.int(90000));
  const methods = drawMethods({ rng, ids });
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
  const passenger: Passenger = {
    userId,
    identity,
    self,
    membership,
    methods,
    saved,
    reservations: [],
    row,
  };
  people.push(passenger);
  return passenger;
}

function drawMethods(draw: Pick<AirlineWorld, "rng" | "ids">): Method[] {
  const { rng } = draw;
  const methods = [
    drawMethod(draw, { source: "credit_card", amount: 0 }),
    drawMethod(draw, { source: "gift_card", amount: 60 + rng.int(240) }),
  ];
  if (rng.int(2) === 0) {
    const amount = 50 * (1 + rng.int(4));
    methods.push(drawMethod(draw, { source: "certificate", amount }));
  }
  return methods;
}

/** Draws a payment method of the given kind, with a new id. */
export function drawMethod(
  { rng, ids }: Pick<AirlineWorld, "rng" | "ids">,
  { source, amount }: Pick<Method, "source" | "amount">,
): Method {
  const id = ids.draw(rng, { prefix: `${source}_`, digits: 7 });
  const row = source === "credit_card"
    ? {
      source,
      brand: rng.pick(CARD_BRANDS),
      last_four: String(1000 + rng.int(9000)),
      id,
    }
    : { source, amount, id };
  return { id, source, amount, row };
}

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/**
 * Draws a reservation on a route on which `user` has no reservation yet, and adds it to the user's reservations.
 * Returns `undefined` if the draw fails.
 */
export function drawReservation(
  world: AirlineWorld,
  { user, wish }: { user: Passenger; wish: ReservationWish },
): Reservation | undefined {
  const { rng, ids, options, routes } = world;
  const taken = new Set(
    user.reservations.flatMap(({ from, to }) => [
      `${from}-${to}`,
      `${to}-${from}`,
    ]),
  );
  const open = wish.out === "delayed"
    ? [...routes].filter(([, flights]) => flights.some(isLate))
      .map(([name]) => name)
    : [...routes.keys()];
  if (open.length === 0) return undefined;
  const route = rng.pick(open);
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
  const others = rng.shuffle(user.saved)
    .slice(0, rng.int(options.passengersMax));
  const passengers = [user.self, ...others];
  const names = new Set(passengers.map(nameOf));
  if (names.size < passengers.length) return undefined;
  const insurance = wish.insurance ?? rng.pick(["yes", "no"] as const);
  const free = freeBags(user.membership, cabin) * passengers.length;
  const bags = rng.int(3) + (rng.int(2) === 0 ? 0 : free);
  const nonfree = Math.max(0, bags - free);
  const fares = legs.reduce((sum, { price }) => sum + price, 0) +
    (insurance === "yes" ? PRICE_OF_INSURANCE : 0);
  const reservation: Reservation = {
    id: drawReservationId(rng, ids),
    userId: user.userId,
    from,
    to,
    cabin,
    legs,
    passengers,
    paidBy: rng.pick(
      user.methods.filter(({ source }) => source === "credit_card"),
    ),
    total: fares * passengers.length + PRICE_OF_A_BAG * nonfree,
    bags,
    nonfree,
    insurance,
    createdAt: drawTime(rng, wish.isFresh ?? false),
    isCancelled: wish.isCancelled ?? false,
  };
  user.reservations.push(reservation);
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
  const flights = routes.get(route) ?? [];
  const flight = rng.pick(
    status === "delayed" ? flights.filter(isLate) : flights,
  );
  const dates = [...flight.days].filter(([date, day]) =>
    day.status === status && date > after && isRevealed(status, date)
  ).map(([date]) => date);
  return dates.length === 0
    ? undefined
    : { flight, date: rng.pick(dates), price: drawPrice(rng, cabin) };
}

function isLate({ days }: Flight): boolean {
  return days.get(TODAY)?.status === "delayed";
}

/**
 * Checks whether an agent can infer a flight's status on a date: `landed` on past dates, `delayed` today, and any other
 * status on future dates. On a past date, a search shows neither cancelled nor departed flights.
 */
function isRevealed(status: string, date: string): boolean {
  if (status === "delayed") return date === TODAY;
  return status === "landed" ? date < TODAY : date > TODAY;
}

function drawReservationId(rng: Rng, ids: Ids): string {
  for (;;) {
    let id = "";
    for (let i = 0; i < 3; i++) id += LETTERS[rng.int(LETTERS.length)];
    for (let i = 0; i < 3; i++) id += rng.pick([..."ABCDEFGHJK23456789"]);
    if (!id.startsWith("HAT") && ids.claim(id)) return id;
  }
}

/** Draws a booking time: earlier today if `isFresh`, otherwise from the 1st to the 13th of the month. */
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

/** Converts a user to a row of the `users` table. */
export function passengerRow(
  { row, methods, reservations }: Passenger,
): JsonObject {
  const payment_methods = Object.fromEntries(
    methods.map((one) => [one.id, one.row]),
  );
  const ids = reservations.map(({ id }) => id);
  const all = { ...row, payment_methods, reservations: ids };
  return fromPlain(all) as JsonObject;
}

/** Converts a reservation to a row of the `reservations` table. */
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
    payment_history: paymentsOf(one),
    created_at: one.createdAt,
    total_baggages: one.bags,
    nonfree_baggages: one.nonfree,
    insurance: one.insurance,
    ...one.isCancelled && { status: "cancelled" },
  }) as JsonObject;
}

/** Returns the payment of a reservation and, if it was cancelled, the refund. */
function paymentsOf({ paidBy, total, isCancelled }: Reservation) {
  const paid = { payment_id: paidBy.id, amount: total };
  return isCancelled ? [paid, { ...paid, amount: -total }] : [paid];
}
