/** Appends lists of ids to one that grows. */

/** Most arguments of a call, which lie on the stack. */
const AT_ONCE = 8192;

/**
 * Appends `more` to `ids`. Pushed one by one, thousands would have the list copied at each of the sizes that it grows
 * through.
 */
export function appendIds(ids: number[], more: readonly number[]): void {
  if (more.length <= AT_ONCE) {
    ids.push(...more);
    return;
  }
  for (let at = 0; at < more.length; at += AT_ONCE) {
    ids.push(...more.slice(at, at + AT_ONCE));
  }
}
