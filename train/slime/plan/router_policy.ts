/** How turns find their engine: the policy of the router that slime starts, as far as the installed router has it. */

/** Best first: the first two keep an episode's turns on the engine that has read its conversation. */
const PREFERRED = ["consistent_hashing", "manual", "cache_aware"];

/** Whether a policy keeps an episode's turns on one engine, by the key that the episode server sends with each. */
export function isSticky(policy: string): boolean {
  return PREFERRED.slice(0, 2).includes(policy);
}

/**
 * The policy of a run.
 * @param asked `engine.routerPolicy`.
 * @param policies What the installed router has; `null` where nobody has asked it.
 * @returns `null` leaves it to the router, whose own default it cannot refuse.
 */
export function routerPolicy(
  asked: string,
  policies: readonly string[] | null,
): string | null {
  if (asked !== "auto") return asked;
  return PREFERRED.find((policy) => policies?.includes(policy)) ?? null;
}
