/** Goals of the airline world as calls. */

import type { GoalDomain } from "../../../goal/goal_domain.ts";
import { duties } from "./duties.ts";
import { effectBreaks } from "./effects.ts";
import { meanings } from "./meanings.ts";
import { strays } from "./strays.ts";

/** What the airline world says of goals. */
export const airlineGoals: GoalDomain = {
  meanings,
  effectBreaks,
  duties,
  strays,
};
