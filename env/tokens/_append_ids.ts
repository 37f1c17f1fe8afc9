/** Appends many ids to a list efficiently. */

/**
 * Maximum number of ids to pass to one `push` call. Its arguments are stored on the call stack, which has a limited
 * size.
 */
const AT_ONCE = 8192;

/** Appends `more` to `ids` in large chunks, which is faster than pushing ids one by one. */
export function appendIds(ids: number[], more: readonly number[]): void {
  if (more.length <= AT_ONCE) {
    ids.push(...more);
    return;
  }
  for (let at = 0; at < more.length; at += AT_ONCE) {
    ids.push(...more.slice(at, at + AT_ONCE));
  }
}
