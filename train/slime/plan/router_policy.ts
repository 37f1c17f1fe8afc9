/**
 * Chooses the policy of slime's router, which assigns turns to engines, among those that the installed router
 * supports.
 */

/**
 * Policies in order of preference: the first two keep an episode's turns on the engine that has already read its
 * conversation.
 */
const PREFERRED = ["consistent_hashing", "manual", "cache_aware"];

/**
 * Checks whether a policy keeps an episode's turns on one engine, according to the key that the episode server
 * sends with each.
 */
export function isSticky(policy: string): boolean {
  return PREFERRED.slice(0, 2).includes(policy);
}

/**
 * Returns the policy of a run.
 * @param asked The value of `engine.routerPolicy`.
 * @param policies Policies that the installed router supports; `null` if unknown.
 * @returns `null` to use the router's own default, which it always supports.
 */
export function routerPolicy(
  asked: string,
  policies: readonly string[] | null,
): string | null {
  if (asked !== "auto") return asked;
  return PREFERRED.find((policy) => policies?.includes(policy)) ?? null;
}
