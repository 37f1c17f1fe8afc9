/** Reads rewards in the format of upstream's field `reward_info`. */

import { z } from "zod";
import {
  anyObject,
  objectOf,
  plainNumber,
} from "../../../python/python_schema.ts";
import { numberOf } from "../../results/loose_json.ts";
import type { Tau3Reward } from "../tau3_reward.ts";
import {
  actionSchema,
  assertionSchema,
  REWARD_TYPES,
  type RewardType,
} from "../tau3_task.ts";

const said = { met: z.boolean().nullable(), justification: z.string() };
const type = z.enum(REWARD_TYPES);

/**
 * The schema of `reward_info`. Notes and tool kinds are dropped; older versions of upstream do not write tool kinds.
 */
export const rewardInfoSchema = objectOf({
  reward: plainNumber.nullish(),
  db_check: objectOf({ db_match: z.boolean() }).nullish(),
  env_assertions: z.array(objectOf({
    env_assertion: assertionSchema,
    met: z.boolean(),
  })).nullish(),
  action_checks: z.array(objectOf({
    action: actionSchema,
    action_match: z.boolean(),
  })).nullish(),
  nl_assertions: z.array(objectOf({ nl_assertion: z.string(), ...said }))
    .nullish(),
  communicate_checks: z.array(objectOf({
    info: z.string(),
    met: z.boolean(),
    justification: z.string(),
  })).nullish(),
  reward_basis: z.array(type).nullish(),
  reward_breakdown: anyObject.nullish(),
}).transform((info): Tau3Reward => ({
  value: info.reward ?? null,
  databaseMatch: info.db_check?.db_match ?? null,
  assertions: info.env_assertions?.map(({ env_assertion, met }) => ({
    assertion: env_assertion,
    met,
  })) ?? null,
  actions: info.action_checks?.map(({ action, action_match }) => ({
    action,
    match: action_match,
    toolKind: null,
  })) ?? null,
  nlAssertions: info.nl_assertions?.map((
    { nl_assertion, met, justification },
  ) => ({ assertion: nl_assertion, met, justification })) ?? null,
  communicate: info.communicate_checks ?? null,
  basis: info.reward_basis ?? null,
  breakdown: info.reward_breakdown === undefined ||
      info.reward_breakdown === null
    ? null
    : [...info.reward_breakdown].flatMap(([name, value]) =>
      isRewardType(name) ? [[name, numberOf(value)] as const] : []
    ),
  info: null,
}));

function isRewardType(name: string): name is RewardType {
  return type.safeParse(name).success;
}
