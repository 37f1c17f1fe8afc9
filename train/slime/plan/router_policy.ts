/**
 * Chooses the policy with which slime's router assigns turns to engines, from the policies that the installed router
 * supports.
 */

/**
 * The policies in order of preference. With the first two, all turns of an episode go to the same engine, which has
 * already read the conversation.
 */
const PREFERRED = ["consistent_hashing", "manual", "cache_aware"];

/**
 * Checks whether a policy keeps all turns of an episode on one engine. The router recognizes an episode by the key that
 * the episode server sends with each turn.
 */
export function isSticky(policy: string): boolean {
  return PREFERRED.slice(0, 2).includes(policy);
}

/**
 * Returns the router policy for a run.
 * @param asked The value of `engine.routerPolicy`.
 * @param policies The policies that the installed router supports; `null` if unknown.
 * @returns The policy; `null` to use the router's default, which it always supports.
 */
export function routerPolicy(
  asked: string,
  policies: readonly string[] | null,
): string | null {
  if (asked !== "auto") return asked;
  return PREFERRED.find((policy) => policies?.includes(policy)) ?? null;
}
