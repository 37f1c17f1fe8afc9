/** Appends to growing id lists. */

/** Maximum number of arguments in one `push` call, which are passed on the stack. */
const AT_ONCE = 8192;

/**
 * Appends `more` to `ids`. For long lists, this avoids the repeated reallocations that come with pushing ids one by
 * one.
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
