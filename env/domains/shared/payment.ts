/** Payment methods, which are named alike in the domains of τ-bench. */

/** The id of a payment method. */
export const PAYMENT_ID =
  /\b(?:credit_card|gift_card|paypal|certificate)_\d+\b/gi;
