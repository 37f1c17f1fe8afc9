/** The knobs of the generated retail world: one schema is type, defaults and help text. */

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

/** How often each kind of request is drawn, relative to the others; 0 leaves it out. */
const intentWeights = z.strictObject(
  {
    cancel: often.describe("Cancel a pending order"),
    return: often.describe("Return delivered items"),
    exchange: often.describe("Exchange delivered items"),
    modify_items: often.describe("Change a pending order's items"),
    modify_address: often.describe("Change a pending order's shipping address"),
    modify_payment: often.describe("Change a pending order's payment method"),
    user_address: often.describe("Change the default address"),
    question: often.describe("Ask for something to be told"),
  } satisfies Record<Intent, z.ZodType>,
);

/** Settings of the generated world. Every field has a default; `parse({})` is the default world. */
export const retailOptionsSchema = z.strictObject({
  ...taskKnobs,
  intents: intentWeights.prefault({}).describe(
    "Relative weights of the kinds of request",
  ),
  refusedShare: share.default(0.1).describe(
    "Share of requests that policy refuses (questions never are)",
  ),
  otherAccountShare: share.default(0.25).describe(
    "Share of the other refused requests that are about somebody else's order; the status of the rest is wrong",
  ),
  brokenRuleShare: share.default(0.4).describe(
    "Share of the refused requests whose order could be acted on, but whose details a rule forbids: a reason that does not count, a variant out of stock, another product, too little on a gift card, a refund to elsewhere",
  ),
  twoIntentShare: share.default(0.1).describe(
    "Share of tasks with a second request after the first",
  ),
  itemsMin: positive.default(1).describe("Fewest items in an order"),
  itemsMax: positive.default(3).describe("Most items in an order"),
  requestedItemsMax: positive.default(1).describe(
    "Most items in one return, exchange or change",
  ),
  extraOrdersMin: count.default(0).describe(
    "Fewest orders of a customer beside those that their requests are about",
  ),
  extraOrdersMax: count.default(1).describe(
    "Most orders of a customer beside those that their requests are about",
  ),
  paymentMethodsMin: z.number().int().min(1).max(3).default(1).describe(
    "Fewest payment methods of a customer; each is of another kind",
  ),
  paymentMethodsMax: z.number().int().min(1).max(3).default(2).describe(
    "Most payment methods of a customer",
  ),
  productKinds: z.number().int().min(2).max(40).default(40).describe(
    "Kinds of product in the store",
  ),
  variantsMin: z.number().int().min(2).max(6).default(2).describe(
    "Fewest variants of a product",
  ),
  variantsMax: z.number().int().min(2).max(6).default(3).describe(
    "Most variants of a product",
  ),
  optionsPerProduct: z.number().int().min(1).max(3).default(1).describe(
    "Options of each product: color, then size, then finish",
  ),
  unavailableShare: share.default(0.1).describe(
    "Share of variants that are out of stock",
  ),
  address2Share: share.default(0.5).describe(
    "Share of addresses with a second line",
  ),
  emailShare: share.default(0.5).describe(
    "Share of customers who prefer to give their email; the others give name and zip",
  ),
  orderStatedShare: share.default(1).describe(
    "Share of requests whose customer knows the order id; the others describe the order by an item in it",
  ),
  detailsStatedShare: share.default(1).describe(
    "Share of requests that come with all their details; the details of the others have to be asked for",
  ),
  ...userKnobs({
    changeOfMind:
      "Share of cancellations and changes of address whose customer wants something else once it is read back",
    fallback:
      "Share of the refused requests about an own order whose customer then asks for what can be done, where anything can",
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
        `The intent "modify_payment" needs a second payment method, but paymentMethodsMax is ${options.paymentMethodsMax}; raise it or set intents.modify_payment to 0`,
    });
  }
  const perUser = options.itemsMax *
    (2 * options.tasksPerUser + options.extraOrdersMax);
  if (options.orderStatedShare < 1 && perUser > options.productKinds) {
    context.addIssue({
      code: "custom",
      path: ["productKinds"],
      message:
        `A customer who describes an order by an item needs distinct items in all their orders, up to ${perUser}, but productKinds is ${options.productKinds}; lower itemsMax, tasksPerUser or extraOrdersMax, or set orderStatedShare to 1`,
    });
  }
  if (options.itemsMax > options.productKinds) {
    context.addIssue({
      code: "custom",
      path: ["itemsMax"],
      message:
        `The items of an order are of distinct kinds: itemsMax is ${options.itemsMax}, productKinds ${options.productKinds}; lower itemsMax`,
    });
  }
});

/** What may be given. */
export type RetailOptionsInput = z.input<typeof retailOptionsSchema>;

/** What the generator works with, defaults filled in. */
export type RetailOptions = z.output<typeof retailOptionsSchema>;
