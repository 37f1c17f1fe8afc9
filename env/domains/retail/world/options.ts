/** The settings of the generated retail world. One schema defines their types, defaults and help texts. */

import type { Intent } from "../goal/request.ts";
import { z } from "zod";
import {
  checkRanges,
  checkWeights,
  count,
  positive,
  share,
  taskKnobs,
  userKnobs,
  weight,
} from "../../../generated/knobs.ts";

const often = weight.default(1);

/** The relative frequency of each kind of request; 0 excludes a kind. */
const intentWeights = z.strictObject(
  {
    cancel: often.describe("Weight of requests to cancel a pending order"),
    return: often.describe("Weight of requests to return delivered items"),
    exchange: often.describe("Weight of requests to exchange delivered items"),
    modify_items: often.describe(
      "Weight of requests to change a pending order's items",
    ),
    modify_address: often.describe(
      "Weight of requests to change a pending order's shipping address",
    ),
    modify_payment: often.describe(
      "Weight of requests to change a pending order's payment method",
    ),
    user_address: often.describe(
      "Weight of requests to change the default address",
    ),
    question: often.describe("Weight of questions"),
  } satisfies Record<Intent, z.ZodType>,
);

/**
 * The schema of the generated retail world's settings. Every field has a default; `parse({})` returns the default
 * settings.
 */
export const retailOptionsSchema = z.strictObject({
  ...taskKnobs,
  intents: intentWeights.prefault({}).describe(
    "Relative weights of the kinds of request",
  ),
  refusedShare: share.default(0.1).describe(
    "Share of requests that the policy forbids; questions are always allowed",
  ),
  otherAccountShare: share.default(0.25).describe(
    "Share of refused requests about another user's order, out of those not covered by brokenRuleShare; the others are about an order with the wrong status",
  ),
  brokenRuleShare: share.default(0.4).describe(
    "Share of refused requests about an eligible order with details that a rule forbids: an unaccepted reason, a variant out of stock, another product, a gift card balance that is too low, or a refund to another payment method",
  ),
  twoIntentShare: share.default(0.1).describe(
    "Share of tasks with a second request after the first",
  ),
  itemsMin: positive.default(1).describe("Minimum number of items per order"),
  itemsMax: positive.default(3).describe("Maximum number of items per order"),
  requestedItemsMax: positive.default(1).describe(
    "Maximum number of items per return, exchange or change",
  ),
  extraOrdersMin: count.default(0).describe(
    "Minimum number of additional orders per user that no request refers to",
  ),
  extraOrdersMax: count.default(1).describe(
    "Maximum number of additional orders per user that no request refers to",
  ),
  paymentMethodsMin: z.number().int().min(1).max(3).default(1).describe(
    "Minimum number of payment methods per user; each is of a different kind",
  ),
  paymentMethodsMax: z.number().int().min(1).max(3).default(2).describe(
    "Maximum number of payment methods per user",
  ),
  productKinds: z.number().int().min(2).max(40).default(40).describe(
    "Number of products in the store",
  ),
  variantsMin: z.number().int().min(2).max(6).default(2).describe(
    "Minimum number of variants per product",
  ),
  variantsMax: z.number().int().min(2).max(6).default(3).describe(
    "Maximum number of variants per product",
  ),
  optionsPerProduct: z.number().int().min(1).max(3).default(1).describe(
    "Number of options per product: color, then size, then finish",
  ),
  unavailableShare: share.default(0.1).describe(
    "Share of variants that are out of stock",
  ),
  address2Share: share.default(0.5).describe(
    "Share of addresses with a second line",
  ),
  emailShare: share.default(0.5).describe(
    "Share of users who identify themselves by email; the others give their name and zip code",
  ),
  orderStatedShare: share.default(1).describe(
    "Share of requests in which the user knows the order id; in the others, the user describes the order by one of its items",
  ),
  detailsStatedShare: share.default(1).describe(
    "Share of requests in which the user gives all details; in the others, the agent has to ask for them",
  ),
  ...userKnobs({
    changeOfMind:
      "Share of cancellations and address changes in which the user changes their mind when the agent reads the details back",
    fallback:
      "Share of refused requests about the user's own orders after which the user asks for an alternative, if there is one",
  }),
}).superRefine((options, context) => {
  checkRanges({ options, context }, [
    ["itemsMin", "itemsMax"],
    ["extraOrdersMin", "extraOrdersMax"],
    ["paymentMethodsMin", "paymentMethodsMax"],
    ["variantsMin", "variantsMax"],
  ]);
  checkWeights({ options, context }, { intents: "intent", voices: "voice" });
  if (options.paymentMethodsMax < 2 && options.intents.modify_payment > 0) {
    context.addIssue({
      code: "custom",
      path: ["paymentMethodsMax"],
      message:
        `The intent "modify_payment" needs a second payment method, but paymentMethodsMax is ${options.paymentMethodsMax}; raise paymentMethodsMax, or set intents.modify_payment to 0`,
    });
  }
  const perUser = options.itemsMax *
    (2 * options.tasksPerUser + options.extraOrdersMax);
  if (options.orderStatedShare < 1 && perUser > options.productKinds) {
    context.addIssue({
      code: "custom",
      path: ["productKinds"],
      message:
        `A user may order ${perUser} items, which must be distinct products if orderStatedShare is below 1, but productKinds is ${options.productKinds}; lower itemsMax, tasksPerUser or extraOrdersMax, or set orderStatedShare to 1`,
    });
  }
  if (options.itemsMax > options.productKinds) {
    context.addIssue({
      code: "custom",
      path: ["itemsMax"],
      message:
        `The items of an order must be distinct products, but itemsMax is ${options.itemsMax} and productKinds is ${options.productKinds}; lower itemsMax`,
    });
  }
});

/** The settings of the generated retail world as a caller may pass them. */
export type RetailOptionsInput = z.input<typeof retailOptionsSchema>;

/** The settings of the generated retail world with defaults filled in. */
export type RetailOptions = z.output<typeof retailOptionsSchema>;
