/** The prompts for agents and simulated users of the generated store. */

import type { Prompts } from "../../../types.ts";
import { deskPrompts } from "../../../generated/desk_prompts.ts";

/** The prompts of the generated retail world. */
export const retailPrompts: Prompts = deskPrompts({
  agent: "a store's support agent",
  question: "May I have your email address?",
  call: `{"name": "get_order_details", "arguments": {"order_id": "#W1234567"}}`,
});
