/**
 * The schemas of the retail tools as models see them. The descriptions were written for this project and are not
 * τ-bench's.
 */

import { deskTools, text, tool } from "../../../generated/tool_schema.ts";
import type { ToolSchema } from "../../../types.ts";

type Parameters = Readonly<Record<string, unknown>>;

const orderId = text("The order's id, with its leading #: #W1234567");
const paymentMethodId = text(
  "Id of one of the customer's payment methods, such as paypal_1234567, credit_card_1234567 or gift_card_1234567",
);
const itemIds = texts(
  "Ids of the items, ten digits each; repeat an id to mean it twice",
);
const newItemIds = texts(
  "Ids of the items to get instead, in the same order; each another variant of the same product, in stock",
);
const address = {
  address1: text("Street and number"),
  address2: text("Second line, such as apt 12; empty if there is none"),
  city: text("City"),
  state: text("State, two letters"),
  country: text("Country"),
  zip: text("Zip code, five digits"),
};

/** The schemas of all 16 tools, sorted by name. */
export const retailTools: readonly ToolSchema[] = [
  deskTools.calculate,
  tool(
    "cancel_pending_order",
    "Cancels a pending order and refunds it. Only after the customer has confirmed order and reason.",
    {
      order_id: orderId,
      reason: {
        type: "string",
        enum: ["no longer needed", "ordered by mistake"],
        description: "The customer's reason",
      },
    },
  ),
  tool(
    "exchange_delivered_order_items",
    "Requests the exchange of items of a delivered order for other variants of the same products. Works once an order, so gather all items first; only after the customer has confirmed.",
    {
      order_id: orderId,
      item_ids: itemIds,
      new_item_ids: newItemIds,
      payment_method_id: paymentMethodId,
    },
  ),
  tool("find_user_id_by_email", "Finds a customer's user id.", {
    email: text("The customer's email address"),
  }),
  tool(
    "find_user_id_by_name_zip",
    "Finds a customer's user id, where they do not give an email.",
    {
      first_name: text("First name"),
      last_name: text("Last name"),
      zip: text("Zip code, five digits"),
    },
  ),
  tool(
    "get_order_details",
    "Shows an order: items, status, address, payments, tracking.",
    { order_id: orderId },
  ),
  tool(
    "get_product_details",
    "Shows a product's variants: item ids, options, stock, prices.",
    {
      product_id: text(
        "The product's id, ten digits; not the id of an item",
      ),
    },
  ),
  tool(
    "get_user_details",
    "Shows a customer: name, address, email, payment methods, order ids.",
    { user_id: text("The user id, such as ada_stone_1234") },
  ),
  tool(
    "list_all_product_types",
    "Lists the names of all products with their ids.",
    {},
  ),
  tool(
    "modify_pending_order_address",
    "Changes where a pending order is sent. Only after the customer has confirmed.",
    { order_id: orderId, ...address },
  ),
  tool(
    "modify_pending_order_items",
    "Changes items of a pending order to other variants of the same products. Works once an order, so gather all items first; only after the customer has confirmed.",
    {
      order_id: orderId,
      item_ids: itemIds,
      new_item_ids: newItemIds,
      payment_method_id: paymentMethodId,
    },
  ),
  tool(
    "modify_pending_order_payment",
    "Changes how a pending order is paid for. Only after the customer has confirmed.",
    { order_id: orderId, payment_method_id: paymentMethodId },
  ),
  tool(
    "modify_user_address",
    "Changes a customer's default address. Only after the customer has confirmed.",
    { user_id: text("The user id, such as ada_stone_1234"), ...address },
  ),
  tool(
    "return_delivered_order_items",
    "Requests the return of items of a delivered order. Works once an order; only after the customer has confirmed.",
    {
      order_id: orderId,
      item_ids: itemIds,
      payment_method_id: paymentMethodId,
    },
  ),
  deskTools.think,
  deskTools.transfer,
];

/** The names of the tools that end the conversation. */
export const terminatingRetailTools: readonly string[] = [
  "transfer_to_human_agents",
];

function texts(description: string): Parameters {
  return { type: "array", items: { type: "string" }, description };
}
