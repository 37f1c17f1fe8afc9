/**
 * Checks that the airline's writes have the expected effects on the database. The checks are implemented independently
 * of the tools.
 */

import { toPlain } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import {
  otherChange,
  readRow,
  type Row,
  same,
  type States,
  unless,
} from "../../shared/goal/effects.ts";

/**
 * The arguments and the effect of a write: the reservation before (`was`) and after (`is`) the write, the user's
 * profile before (`userWas`) and after (`userIs`) the write, and both states of the whole database.
 */
interface Written {
  readonly args: Row;
  readonly was: Row;
  readonly is: Row;
  readonly userWas: Row;
  readonly userIs: Row;
  readonly states: States;
}

/** The expected effect of a write. */
interface Effect {
  /** The fields of the reservation that the write may change. */
  readonly fields: readonly string[];
  /** Returns a description of what is wrong with the new values, or `null` if they are correct. */
  breaks(written: Written): string | null;
  /** Returns the amount charged to each payment method, in dollars. A refund is negative. Default: none. */
  spends?(written: Written): ReadonlyMap<string, number>;
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  book_reservation: {
    fields: [],
    breaks: ({ args, is, userWas, userIs }) =>
      unless(
        same(userIs.reservations, [...userWas.reservations, is.reservation_id]),
        "the profile does not list the reservation",
      ) ??
        unless(
          same(legs(is), legs(args)),
          "the flights differ from those in the call",
        ) ??
        differs(is, args, [
          "user_id",
          "origin",
          "destination",
          "flight_type",
          "cabin",
          "total_baggages",
          "nonfree_baggages",
          "insurance",
        ]) ??
        unless(
          same(is.passengers, args.passengers),
          "the passengers differ from those in the call",
        ) ??
        unless(
          same(is.payment_history, args.payment_methods),
          "the payments differ from those in the call",
        ),
    spends: ({ args }) =>
      new Map(args.payment_methods.map((
        { payment_id, amount }: Row,
      ) => [payment_id, amount])),
  },
  cancel_reservation: {
    fields: ["status", "payment_history"],
    breaks: ({ was, is }) =>
      unless(is.status === "cancelled", `the status is ${is.status}`) ??
        unless(
          same(
            is.payment_history.slice(was.payment_history.length),
            was.payment_history.map(({ payment_id, amount }: Row) => ({
              payment_id,
              amount: -amount,
            })),
          ),
          "not every payment is refunded",
        ),
  },
  send_certificate: {
    fields: [],
    breaks: ({ args, userWas, userIs }) => {
      const had = new Set(Object.keys(userWas.payment_methods));
      const fresh = Object.entries<Row>(userIs.payment_methods)
        .filter(([id]) => !had.has(id)).map(([, method]) => method);
      return unless(
        fresh.length === 1 && fresh[0].source === "certificate" &&
          fresh[0].amount === args.amount,
        `the write does not add exactly one certificate of $${args.amount} to the profile`,
      );
    },
  },
  update_reservation_baggages: {
    fields: ["total_baggages", "nonfree_baggages", "payment_history"],
    breaks: (written) =>
      differs(written.is, written.args, [
        "total_baggages",
        "nonfree_baggages",
      ]) ?? entryBreaks(written, bagPrice(written)),
    spends: (written) =>
      new Map([[written.args.payment_id, bagPrice(written)]]),
  },
  update_reservation_flights: {
    fields: ["flights", "payment_history"],
    breaks: (written) =>
      unless(
        same(legs(written.is), legs(written.args)),
        "the flights differ from those in the call",
      ) ?? entryBreaks(written, fareDifference(written)),
    spends: (written) =>
      new Map([[written.args.payment_id, fareDifference(written)]]),
  },
  update_reservation_passengers: {
    fields: ["passengers"],
    breaks: ({ args, is }) =>
      unless(
        same(is.passengers, args.passengers),
        "the passengers differ from those in the call",
      ),
  },
};

/**
 * Returns a description of what is wrong with the effect of a write, or `null` if the effect is correct. A write may
 * change only its reservation and its user's profile.
 */
export function effectError(
  action: ToolAction,
  states: States,
): string | null {
  const effect = EFFECTS[action.name];
  if (effect === undefined) return `${action.name} is not a write`;
  const args: Row = toPlain(action.arguments);
  const changed = states.before.diff(states.after);
  const id = args.reservation_id ??
    changed.find(({ table }) => table === "reservations")?.id;
  const was = readRow(states.before, "reservations", id);
  const is = readRow(states.after, "reservations", id);
  const owner = args.user_id ?? was?.user_id;
  const other = changed.find(({ table, id: row }) =>
    !(table === "users" && row === owner ||
      table === "reservations" && row === id)
  );
  if (other !== undefined) {
    return `the write also changes ${other.table}/${other.id}`;
  }
  if (changed.length === 0) return "the write changes nothing";
  const written = {
    args,
    was,
    is,
    userWas: readRow(states.before, "users", owner),
    userIs: readRow(states.after, "users", owner),
    states,
  };
  return (was === null ? null : otherChange(written, effect.fields)) ??
    effect.breaks(written) ??
    moneyBreaks(written, effect.spends?.(written) ?? new Map());
}

/**
 * Checks that each gift card was charged the expected amount, that used certificates were removed, and that no other
 * payment method changed.
 * @returns A description of the first mistake, or `null` if there is none.
 */
function moneyBreaks(
  { userWas, userIs }: Written,
  spent: ReadonlyMap<string, number>,
): string | null {
  for (const [id, method] of Object.entries<Row>(userWas.payment_methods)) {
    const now = userIs.payment_methods[id];
    const pays = spent.get(id) ?? 0;
    if (method.source === "certificate" && spent.has(id)) {
      if (now !== undefined) return `the used certificate ${id} is not removed`;
    } else if (method.source === "gift_card") {
      if (now?.amount !== method.amount - pays) {
        return `the balance of ${id} is ${now?.amount} instead of ${
          method.amount - pays
        }`;
      }
    } else if (!same(now, method)) return `the payment method ${id} changes`;
  }
  return null;
}

/**
 * Checks that the payment history has one new entry of `price` dollars, or no new entry if the price is 0.
 * @returns A description of the mistake, or `null` if there is none.
 */
function entryBreaks(
  { args, was, is }: Written,
  price: number,
): string | null {
  const fresh = is.payment_history.slice(was.payment_history.length);
  const wanted = price === 0
    ? []
    : [{ payment_id: args.payment_id, amount: price }];
  return unless(
    same(fresh, wanted),
    `the payment history does not record exactly the price of $${price}`,
  );
}

function bagPrice({ args, was }: Written): number {
  return 50 * Math.max(0, args.nonfree_baggages - was.nonfree_baggages);
}

/**
 * Returns the price difference, in dollars, between a reservation's new and old flights for all passengers. Flights
 * that are kept in the same cabin keep their price.
 */
function fareDifference({ args, was, states }: Written): number {
  const old = was.flights.reduce(
    (sum: number, { price }: Row) => sum + price,
    0,
  );
  const now = args.flights.reduce((sum: number, leg: Row) => {
    const kept = was.flights.find((one: Row) =>
      one.flight_number === leg.flight_number && one.date === leg.date
    );
    const flight = readRow(states.before, "flights", leg.flight_number);
    return sum +
      (kept !== undefined && was.cabin === args.cabin
        ? kept.price
        : flight.dates[leg.date].prices[args.cabin]);
  }, 0);
  return (now - old) * was.passengers.length;
}

function legs({ flights }: Row) {
  return flights.map(({ flight_number, date }: Row) => [flight_number, date]);
}

function differs(
  is: Row,
  args: Row,
  fields: readonly string[],
): string | null {
  const wrong = fields.find((field) => is[field] !== args[field]);
  return unless(wrong === undefined, `${wrong} is ${is[wrong ?? ""]}`);
}
