/** Adds up the token usage of model calls. */

import type { Usage } from "../types.ts";

/** The usage before the first call. */
export const NO_USAGE: Usage = {
  calls: 0,
  retries: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  cost: 0,
};

/** Returns the sum of two usages. The resulting cost is `null` if either cost is unknown. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    calls: a.calls + b.calls,
    retries: a.retries + b.retries,
    promptTokens: a.promptTokens + b.promptTokens,
    cachedTokens: a.cachedTokens + b.cachedTokens,
    completionTokens: a.completionTokens + b.completionTokens,
    cost: a.cost === null || b.cost === null ? null : a.cost + b.cost,
  };
}
