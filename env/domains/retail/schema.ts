/**
 * Schemas of the retail domain's rows. A dataset is validated once when it is loaded, so the tools can rely on valid
 * rows. Unknown fields are kept.
 */

import { z } from "zod";

const address = z.looseObject({
  address1: z.string(),
  address2: z.string(),
  city: z.string(),
  country: z.string(),
  state: z.string(),
  zip: z.string(),
});

/** The schema of a payment method. Only gift cards have a balance. */
const paymentMethod = z.discriminatedUnion("source", [
  z.looseObject({
    source: z.literal("gift_card"),
    id: z.string(),
    balance: z.number(),
  }),
  z.looseObject({ source: z.literal("credit_card"), id: z.string() }),
  z.looseObject({ source: z.literal("paypal"), id: z.string() }),
]);

const user = z.looseObject({
  name: z.looseObject({ first_name: z.string(), last_name: z.string() }),
  address,
  email: z.string(),
  payment_methods: z.record(z.string(), paymentMethod),
  orders: z.array(z.string()),
});

const options = z.record(z.string(), z.string());

const order = z.looseObject({
  order_id: z.string(),
  user_id: z.string(),
  address,
  items: z.array(z.looseObject({
    name: z.string(),
    product_id: z.string(),
    item_id: z.string(),
    price: z.number(),
    options,
  })),
  fulfillments: z.array(z.looseObject({
    tracking_id: z.array(z.string()),
    item_ids: z.array(z.string()),
  })),
  status: z.string(),
  payment_history: z.array(z.looseObject({
    transaction_type: z.enum(["payment", "refund"]),
    amount: z.number(),
    payment_method_id: z.string(),
  })).min(1),
});

const product = z.looseObject({
  name: z.string(),
  product_id: z.string(),
  variants: z.record(
    z.string(),
    z.looseObject({
      item_id: z.string(),
      options,
      available: z.boolean(),
      price: z.number(),
    }),
  ),
});

/** The row schema of each table, in the order in which τ-bench loads the tables. */
export const rowSchemas: ReadonlyMap<string, z.ZodType> = new Map<
  string,
  z.ZodType
>([
  ["orders", order],
  ["products", product],
  ["users", user],
]);
