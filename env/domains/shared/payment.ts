/** The format of payment method ids, which τ-bench's domains share. */

/** Matches the id of a payment method. */
export const PAYMENT_ID =
  /\b(?:credit_card|gift_card|paypal|certificate)_\d+\b/gi;
