/** Draws payments with a user's gift cards, certificates and credit card. */

import { happens } from "../../../generated/draw.ts";
import {
  type AirlineWorld,
  drawMethod,
  type Method,
  type Passenger,
} from "./rows.ts";

/** A payment for a booking. */
export interface Payment {
  readonly method: Method;
  /** The amount in dollars. */
  readonly amount: number;
}

/** Draws one of the user's cards that can pay for a change. */
export function drawPaying(
  { rng }: AirlineWorld,
  { user, price }: { user: Passenger; price: number },
): Method {
  return rng.pick(
    user.methods.filter(({ source, amount }) =>
      source === "credit_card" || source === "gift_card" && amount >= price
    ),
  );
}

/**
 * Draws payments that cover the total: possibly a certificate, possibly a gift card, and the credit card for the rest.
 */
export function drawPayments(
  { rng }: AirlineWorld,
  { user, total }: { user: Passenger; total: number },
): Payment[] {
  const order = ["certificate", "gift_card"].filter(() => happens(rng, 0.5));
  const paid: Payment[] = [];
  let left = total;
  for (const source of [...order, "credit_card"]) {
    const method = user.methods.find((one) => one.source === source);
    if (method === undefined || left === 0) continue;
    const amount = source === "credit_card"
      ? left
      : Math.min(left, method.amount);
    paid.push({ method, amount });
    left -= amount;
  }
  return paid;
}

/** Adds certificates until the user has `count` of them. */
export function giveCertificates(
  world: AirlineWorld,
  { user, count }: { user: Passenger; count: number },
): void {
  const had = user.methods.filter(({ source }) => source === "certificate");
  for (let i = had.length; i < count; i++) {
    const amount = 50 * (1 + world.rng.int(4));
    user.methods.push(drawMethod(world, { source: "certificate", amount }));
  }
}
