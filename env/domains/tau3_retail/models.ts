/**
 * The models of the rows in τ³-bench's retail domain. Fields are declared in the order in which they are printed and
 * validated.
 */

import { defineModel, field } from "../../python/pydantic.ts";
import type { RowModels } from "../shared/toolkit/bundle_database.ts";

/** The model of the address of a user or an order. */
export const UserAddress = defineModel("UserAddress", {
  address1: field.str(),
  address2: field.str(),
  city: field.str(),
  country: field.str(),
  state: field.str(),
  zip: field.str(),
});

/** The model of an entry of an order's payment history: a payment or a refund. */
export const OrderPayment = defineModel("OrderPayment", {
  transaction_type: field.literal("payment", "refund"),
  amount: field.float(),
  payment_method_id: field.str(),
});

const Variant = defineModel("Variant", {
  item_id: field.str(),
  options: field.map(field.str()),
  available: field.bool(),
  price: field.float(),
});

const Product = defineModel("Product", {
  name: field.str(),
  product_id: field.str(),
  variants: field.map(field.model(Variant)),
});

const CreditCard = defineModel("CreditCard", {
  source: field.literal("credit_card"),
  id: field.str(),
  brand: field.str(),
  last_four: field.str(),
});

const GiftCard = defineModel("GiftCard", {
  source: field.literal("gift_card"),
  id: field.str(),
  balance: field.float(),
});

const Paypal = defineModel("Paypal", {
  source: field.literal("paypal"),
  id: field.str(),
});

const User = defineModel("User", {
  user_id: field.str(),
  name: field.model(defineModel("UserName", {
    first_name: field.str(),
    last_name: field.str(),
  })),
  address: field.model(UserAddress),
  email: field.str(),
  payment_methods: field.map(field.tagged("source", {
    credit_card: CreditCard,
    gift_card: GiftCard,
    paypal: Paypal,
  })),
  orders: field.list(field.str()),
});

const Order = defineModel("Order", {
  order_id: field.str(),
  user_id: field.str(),
  address: field.model(UserAddress),
  items: field.list(field.model(defineModel("OrderItem", {
    name: field.str(),
    product_id: field.str(),
    item_id: field.str(),
    price: field.float(),
    options: field.map(field.str()),
  }))),
  status: field.literal(
    "processed",
    "pending",
    "pending (item modified)",
    "delivered",
    "cancelled",
    "exchange requested",
    "return requested",
  ),
  fulfillments: field.list(field.model(defineModel("OrderFullfilment", {
    tracking_id: field.list(field.str()),
    item_ids: field.list(field.str()),
  }))),
  payment_history: field.list(field.model(OrderPayment)),
  cancel_reason: field.optional(
    field.literal("no longer needed", "ordered by mistake"),
  ),
  exchange_items: field.optional(field.list(field.str())),
  exchange_new_items: field.optional(field.list(field.str())),
  exchange_payment_method_id: field.optional(field.str()),
  exchange_price_difference: field.optional(field.float()),
  return_items: field.optional(field.list(field.str())),
  return_payment_method_id: field.optional(field.str()),
});

/** The row model of each table. */
export const retailModels: RowModels = {
  products: Product,
  users: User,
  orders: Order,
};
