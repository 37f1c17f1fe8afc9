/**
 * What agents and simulated customers of the generated airline world are told: the store's texts with the desk and the
 * example of an airline.
 *
 * @module
 */

import type { Prompts } from "../../../types.ts";
import { generatedPrompts } from "../retail/prompts.ts";

const WORDS: readonly (readonly [string, string])[] = [
  ["a store's support agent", "an airline's desk"],
  ["May I have your email address?", "May I have your user id?"],
  [
    `{"name": "get_order_details", "arguments": {"order_id": "#W1234567"}}`,
    `{"name": "get_reservation_details", "arguments": {"reservation_id": "ABC123"}}`,
  ],
];

/** The prompts of the generated airline world. */
export const airlinePrompts: Prompts = {
  user: { ...generatedPrompts.user, ...flown(generatedPrompts.user) },
  agent: flown(generatedPrompts.agent),
};

/** The texts in the airline's words. */
function flown<T extends object>(texts: T): T {
  const entries = Object.entries(texts).map(([key, text]) => [
    key,
    typeof text === "string"
      ? WORDS.reduce((words, [from, to]) => words.replaceAll(from, to), text)
      : text,
  ]);
  return Object.fromEntries(entries) as T;
}
