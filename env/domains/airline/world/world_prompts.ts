/** Prompts for agents and simulated users of the generated airline. */

import type { Prompts } from "../../../types.ts";
import { deskPrompts } from "../../../generated/desk_prompts.ts";

export const airlinePrompts: Prompts = deskPrompts({
  agent: "an airline's desk",
  question: "May I have your user id?",
  call:
    `{"name": "get_reservation_details", "arguments": {"reservation_id": "ABC123"}}`,
});
