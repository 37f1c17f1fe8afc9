/** Creates a small airline and a small store in τ³-bench's format, for tests that do not need the benchmark's data. */

import type { Database } from "../../env/database.ts";
import type { Domain } from "../../env/domain.ts";
import { tau3Airline } from "../../env/domains/tau3_airline/domain.ts";
import { tau3Retail } from "../../env/domains/tau3_retail/domain.ts";
import { callBundle } from "../../env/domains/shared/toolkit/bundle_call.ts";
import { fromPlain, type JsonValue } from "../../env/python/python_value.ts";

const NAME = { first_name: "Ann", last_name: "Lee" };
const ADDRESS = {
  address1: "1 Main St",
  address2: "",
  city: "Oslo",
  country: "Norway",
  state: "OS",
  zip: "10001",
};

/**
 * Creates a world in which Ann has a gift card worth 500, a certificate worth 100, and a credit card. Flight HAT001 has
 * 3 business seats at 200.
 */
export function smallAirline(): SmallWorld {
  const method = (source: string, fields: object) => ({
    [source]: { source, id: source, ...fields },
  });
  return new SmallWorld(tau3Airline, {
    flights: {
      HAT001: {
        flight_number: "HAT001",
        origin: "SFO",
        destination: "JFK",
        scheduled_departure_time_est: "10:00:00",
        scheduled_arrival_time_est: "14:00:00",
        dates: {
          "2024-05-20": {
            status: "available",
            available_seats: { business: 3 },
            prices: { business: 200 },
          },
          "2024-05-21": { status: "cancelled" },
        },
      },
    },
    users: {
      ann: {
        user_id: "ann",
        name: NAME,
        address: ADDRESS,
        email: "ann@x.org",
        dob: "1990-01-01",
        payment_methods: {
          ...method("gift_card", { amount: 500 }),
          ...method("certificate", { amount: 100 }),
          ...method("credit_card", { brand: "visa", last_four: "1234" }),
        },
        saved_passengers: [],
        membership: "gold",
        reservations: [],
      },
    },
    reservations: {},
  });
}

/**
 * Creates a world in which Ann's pending order has two lamps at 10. Lamps at 12 and 15 are available, and a lamp at 9
 * is not.
 */
export function smallStore(): SmallWorld {
  const variant = (item_id: string, price: number, available = true) => ({
    [item_id]: { item_id, options: { size: item_id }, available, price },
  });
  const item = (item_id: string) => ({
    name: "Lamp",
    product_id: "lamp",
    item_id,
    price: 10,
    options: { size: item_id },
  });
  return new SmallWorld(tau3Retail, {
    products: {
      lamp: {
        name: "Lamp",
        product_id: "lamp",
        variants: {
          ...variant("a", 10),
          ...variant("b", 10),
          ...variant("c", 12),
          ...variant("d", 15),
          ...variant("e", 9, false),
        },
      },
    },
    users: {
      ann: {
        user_id: "ann",
        name: NAME,
        address: ADDRESS,
        email: "ann@x.org",
        payment_methods: {
          card: { source: "gift_card", id: "card", balance: 20 },
          paypal: { source: "paypal", id: "paypal" },
        },
        orders: ["#1"],
      },
    },
    orders: {
      "#1": {
        order_id: "#1",
        user_id: "ann",
        address: ADDRESS,
        items: [item("a"), item("b")],
        status: "pending",
        fulfillments: [],
        payment_history: [{
          transaction_type: "payment",
          amount: 20,
          payment_method_id: "paypal",
        }],
      },
    },
  });
}

/** A world in which tests can make tool calls. */
export class SmallWorld {
  readonly database: Database;
  readonly #domain: Domain;

  constructor(domain: Domain, data: object) {
    this.#domain = domain;
    this.database = domain.bundle!.load({ agent: fromPlain(data) }).agent;
  }

  call(name: string, args: Record<string, unknown>): string {
    const call = {
      requestor: "agent",
      name,
      arguments: fromPlain(args) as Map<string, JsonValue>,
    } as const;
    return callBundle(this.#domain, { agent: this.database }, call).content;
  }

  /** Returns a value within a row; `undefined` if it does not exist. */
  at(table: string, id: string, ...path: string[]): JsonValue | undefined {
    let value: JsonValue | undefined = this.database.get(table, id);
    for (const key of path) {
      value = value instanceof Map
        ? value.get(key)
        : Array.isArray(value)
        ? value[Number(key)]
        : undefined;
    }
    return value;
  }
}
