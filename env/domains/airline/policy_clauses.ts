/** The airline's policy, expressed as clauses that a program can check. */

import type { Clause, PolicyCall } from "../../policy/clause.ts";

/** The time of every conversation according to the policy, in Eastern Time. */
export const NOW = "2024-05-15T15:00:00";

const CHANGES = [
  "update_reservation_flights",
  "update_reservation_baggages",
  "update_reservation_passengers",
];
const MAX_PASSENGERS = 5;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The number of free bags per passenger, by membership and cabin. */
const FREE_BAGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  regular: { basic_economy: 0, economy: 1, business: 2 },
  silver: { basic_economy: 1, economy: 2, business: 3 },
  gold: { basic_economy: 2, economy: 3, business: 3 },
};

/** The maximum number of payment methods per booking, by kind. */
const MAX_PAYMENTS: Readonly<Record<string, number>> = {
  certificate: 1,
  credit_card: 1,
  gift_card: 3,
};

interface Leg {
  readonly flight_number: string;
  readonly date: string;
}

/** The clauses of the airline's policy. The expert explains a refusal with the first clause that the call breaks. */
export const airlineClauses: readonly Clause[] = [
  {
    id: "account.own_reservation",
    tools: [...CHANGES, "cancel_reservation"],
    text: "Reservations of other users are not changed",
    breaks: (call) =>
      unless(
        reservationOf(call).user_id === call.userId,
        `${call.args.reservation_id} belongs to ${reservationOf(call).user_id}`,
      ),
  },
  {
    id: "account.own_profile",
    tools: ["book_reservation", "send_certificate"],
    text: "Bookings and certificates are for the user only",
    breaks: ({ args, userId }) =>
      unless(
        args.user_id === userId,
        `the call is for ${args.user_id}, but the user is ${userId}`,
      ),
  },
  {
    id: "book.passengers",
    tools: ["book_reservation"],
    text: "A reservation has one to five passengers",
    breaks: ({ args }) =>
      unless(
        args.passengers.length >= 1 &&
          args.passengers.length <= MAX_PASSENGERS,
        `the reservation would have ${args.passengers.length} passengers`,
      ),
  },
  {
    id: "book.flights",
    tools: ["book_reservation"],
    text:
      "Flights lead from the origin to the destination, and back on a round trip",
    breaks: (call) => routeBreaks(call, call.args),
  },
  {
    id: "flights.available",
    tools: ["book_reservation", "update_reservation_flights"],
    text: "New flights can be booked and have seats for all passengers",
    breaks: availableBreaks,
  },
  {
    id: "book.payment",
    tools: ["book_reservation"],
    text:
      "A booking is paid with at most one certificate, one credit card and three gift cards, all from the profile",
    breaks: paymentsBreak,
  },
  {
    id: "bags.paid",
    tools: ["book_reservation", "update_reservation_baggages"],
    text: "Exactly the bags beyond the free allowance are paid for",
    breaks: bagsBreak,
  },
  {
    id: "change.not_cancelled",
    tools: CHANGES,
    text: "A cancelled reservation is not changed",
    breaks: (call) =>
      unless(
        reservationOf(call).status !== "cancelled",
        "the reservation is cancelled",
      ),
  },
  {
    id: "change.basic_economy",
    tools: ["update_reservation_flights"],
    text: "Flights of a basic economy reservation do not change",
    breaks: (call) =>
      unless(
        cabinOf(call) !== "basic_economy" || sameFlights(call),
        "the reservation is in basic economy, and the flights would change",
      ),
  },
  {
    id: "change.route",
    tools: ["update_reservation_flights"],
    text: "Origin, destination and kind of trip do not change",
    breaks: (call) => routeBreaks(call, reservationOf(call)),
  },
  {
    id: "change.payment",
    tools: ["update_reservation_flights", "update_reservation_baggages"],
    text: "A change is paid with a gift card or credit card from the profile",
    breaks: (call) => {
      const method = methodsOf(call)[call.args.payment_id];
      return unless(
        method !== undefined && method.source !== "certificate",
        `${call.args.payment_id} is ${
          method === undefined ? "not in the profile" : "a certificate"
        }`,
      );
    },
  },
  {
    id: "bags.not_fewer",
    tools: ["update_reservation_baggages"],
    text: "Bags are added, never removed",
    breaks: (call) =>
      unless(
        call.args.total_baggages >= reservationOf(call).total_baggages,
        `the number of bags would decrease from ${
          reservationOf(call).total_baggages
        } to ${call.args.total_baggages}`,
      ),
  },
  {
    id: "passengers.number",
    tools: ["update_reservation_passengers"],
    text: "The number of passengers does not change",
    breaks: (call) =>
      unless(
        call.args.passengers.length === reservationOf(call).passengers.length,
        `the number of passengers would change from ${
          reservationOf(call).passengers.length
        } to ${call.args.passengers.length}`,
      ),
  },
  {
    id: "cancel.not_flown",
    tools: ["cancel_reservation"],
    text: "A partly flown trip is not cancelled",
    breaks: (call) => {
      const flown = legsOf(call).find((leg) =>
        ["landed", "flying"].includes(dayOf(call, leg)?.status)
      );
      return unless(
        flown === undefined,
        `${flown?.flight_number} on ${flown?.date} has taken off`,
      );
    },
  },
  {
    id: "cancel.allowed",
    tools: ["cancel_reservation"],
    text:
      "A trip is cancelled only within a day of booking, after the airline cancelled a flight, in business, or with insurance",
    breaks: cancelBreaks,
  },
  {
    id: "certificate.eligible",
    tools: ["send_certificate"],
    text:
      "Certificates are for silver and gold members, insured and business travelers with a cancelled or delayed flight: 100 or 50 dollars per passenger",
    breaks: certificateBreaks,
  },
];

function reservationOf({ row, args }: PolicyCall) {
  return row("reservations", args.reservation_id);
}

/**
 * Returns the cabin that was last paid for. It may differ from the cabin in the reservation, because the tools do not
 * store a changed cabin.
 */
function cabinOf(call: PolicyCall): string {
  const { args, earlier } = call;
  const change = earlier.findLast((action) =>
    action.name === "update_reservation_flights" &&
    action.arguments.get("reservation_id") === args.reservation_id
  );
  return String(change?.arguments.get("cabin") ?? reservationOf(call).cabin);
}

function methodsOf({ row, userId }: PolicyCall) {
  return row("users", userId).payment_methods;
}

function legsOf(call: PolicyCall): readonly Leg[] {
  return reservationOf(call).flights;
}

function dayOf({ row }: PolicyCall, { flight_number, date }: Leg) {
  return row("flights", flight_number)?.dates[date];
}

/** Checks that the legs connect and follow the trip's route. A stop may be at any airport. */
function routeBreaks(
  call: PolicyCall,
  trip: { origin: string; destination: string; flight_type: string },
): string | null {
  const stops = (call.args.flights as Leg[]).map(({ flight_number }) =>
    call.row("flights", flight_number)
  );
  const route = stops.map(({ origin, destination }) =>
    `${origin}–${destination}`
  ).join(", ");
  const broken = stops.some((stop, i) =>
    i > 0 && stop.origin !== stops[i - 1].destination
  );
  const isRound = trip.flight_type === "round_trip";
  const ends = isRound ? trip.origin : trip.destination;
  const turns = stops.some(({ destination }) =>
    destination === trip.destination
  );
  return unless(
    !broken && turns && stops[0]?.origin === trip.origin &&
      stops.at(-1)?.destination === ends,
    `the flights ${route} are not a ${
      isRound ? "round trip" : "one-way trip"
    } from ${trip.origin} to ${trip.destination}`,
  );
}

/** Checks that every new leg can be booked. Legs that the reservation already has in the same cabin are not checked. */
function availableBreaks(call: PolicyCall): string | null {
  const { args } = call;
  const reservation = args.reservation_id === undefined
    ? undefined
    : reservationOf(call);
  const party = args.passengers ?? reservation.passengers;
  for (const leg of args.flights as Leg[]) {
    const isKept = reservation?.cabin === args.cabin &&
      reservation.flights.some((kept: Leg) => sameLeg(kept, leg));
    const day = dayOf(call, leg);
    const seats = day?.available_seats?.[args.cabin] ?? 0;
    if (isKept || day?.status === "available" && seats >= party.length) {
      continue;
    }
    return `${leg.flight_number} on ${leg.date} is ${
      day?.status ?? "not scheduled"
    }, and its number of free seats is ${seats} for a party of ${party.length}`;
  }
  return null;
}

function sameFlights(call: PolicyCall): boolean {
  const kept = legsOf(call);
  const wanted = call.args.flights as Leg[];
  return kept.length === wanted.length &&
    wanted.every((leg) => kept.some((one) => sameLeg(one, leg)));
}

function sameLeg(a: Leg, b: Leg): boolean {
  return a.flight_number === b.flight_number && a.date === b.date;
}

function paymentsBreak(call: PolicyCall): string | null {
  const methods = methodsOf(call);
  const ids = (call.args.payment_methods as { payment_id: string }[]).map(
    ({ payment_id }) => payment_id,
  );
  const unknown = ids.find((id) => methods[id] === undefined);
  if (unknown !== undefined) return `${unknown} is not in the profile`;
  for (const [source, most] of Object.entries(MAX_PAYMENTS)) {
    const used = ids.filter((id) => methods[id].source === source).length;
    if (used > most) {
      return `the call uses ${used} payment methods of the kind ${source}`;
    }
  }
  return null;
}

function bagsBreak(call: PolicyCall): string | null {
  const { args, userId, row } = call;
  const trip = args.reservation_id === undefined ? args : reservationOf(call);
  const cabin = args.reservation_id === undefined ? args.cabin : cabinOf(call);
  const membership = row("users", userId).membership ?? "regular";
  const each = FREE_BAGS[membership]?.[cabin] ?? 0;
  const free = each * trip.passengers.length;
  const paid = Math.max(0, args.total_baggages - free);
  // Bags that were already paid for stay paid for.
  const before = args.reservation_id === undefined ? 0 : trip.nonfree_baggages;
  return unless(
    args.nonfree_baggages === Math.max(paid, before),
    `a ${membership} member in ${cabin} has ${free} free bags, but the call pays for ${args.nonfree_baggages} of ${args.total_baggages}`,
  );
}

function cancelBreaks(call: PolicyCall): string | null {
  const { insurance, created_at } = reservationOf(call);
  const cabin = cabinOf(call);
  const age = Date.parse(`${NOW}Z`) - Date.parse(`${created_at}Z`);
  const byAirline = legsOf(call).some((leg) =>
    dayOf(call, leg)?.status === "cancelled"
  );
  return unless(
    age >= 0 && age <= DAY_MS || byAirline || cabin === "business" ||
      insurance === "yes",
    `the ${cabin} reservation was booked at ${created_at}, and has neither insurance nor a cancelled flight`,
  );
}

function certificateBreaks(call: PolicyCall): string | null {
  const { row, userId, args } = call;
  const { membership, reservations } = row("users", userId);
  for (const id of reservations) {
    const trip = row("reservations", id);
    const isEligible = ["silver", "gold"].includes(membership) ||
      trip.insurance === "yes" || trip.cabin === "business";
    if (isEligible && dueFor(call, trip).includes(args.amount)) return null;
  }
  return `no reservation of the user, a ${membership} member, justifies a certificate of $${args.amount}`;
}

/**
 * Returns the amounts, in dollars, of the certificates that a reservation's flights justify. A delayed flight justifies
 * a certificate only after a call has changed or cancelled the reservation.
 */
function dueFor(
  call: PolicyCall,
  trip: { reservation_id: string; flights: Leg[]; passengers: unknown[] },
): number[] {
  const days = trip.flights.map((leg) => dayOf(call, leg));
  const isCancelled = days.some((day) => day?.status === "cancelled");
  const isDelayed = trip.flights.some((leg, i) =>
    days[i]?.status === "delayed" || leftLate(call, leg)
  );
  const wasChanged = call.earlier.some((action) =>
    action.arguments.get("reservation_id") === trip.reservation_id
  );
  const people = trip.passengers.length;
  return [
    ...(isCancelled ? [100 * people] : []),
    ...(isDelayed && wasChanged ? [50 * people] : []),
  ];
}

/** Checks whether a flight departed after its scheduled time. */
function leftLate(call: PolicyCall, leg: Leg): boolean {
  const left = dayOf(call, leg)?.actual_departure_time_est;
  const planned = call.row("flights", leg.flight_number)
    ?.scheduled_departure_time_est;
  return left !== undefined && left > `${leg.date}T${planned}`;
}

function unless(holds: boolean, evidence: string): string | null {
  return holds ? null : evidence;
}
