/** Goals of the retail world as calls. */

import type { GoalDomain } from "../../../goal/goal_domain.ts";
import { duties } from "./duties.ts";
import { effectBreaks } from "./effects.ts";
import { meanings } from "./meanings.ts";
import { strays } from "./strays.ts";

/** What the retail world says of goals. */
export const retailGoals: GoalDomain = {
  meanings,
  effectBreaks,
  duties,
  strays,
};
