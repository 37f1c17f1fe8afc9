/** The format of the payment method ids in τ-bench's domains. */

/** Matches the id of a payment method. */
export const PAYMENT_ID =
  /\b(?:credit_card|gift_card|paypal|certificate)_\d+\b/gi;
