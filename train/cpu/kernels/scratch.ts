/** Working memory of one call: handed out from front to back, never freed, checked against its end. */

let cursor: usize = 0;
let limit: usize = 0;

/** Begins anew within `[base, end)`. */
export function openScratch(base: usize, end: usize): void {
  cursor = (base + 63) & ~63;
  limit = end;
}

/** `bytes` of working memory on a cache line's boundary; traps if there is not enough. */
export function take(bytes: usize): usize {
  const at = cursor;
  cursor = (at + bytes + 63) & ~63;
  if (cursor > limit || cursor < at) unreachable();
  return at;
}

/** How far the working memory is used. */
export function scratchUsed(): usize {
  return cursor;
}

/**
 * Bytes from one row of `n` floats to the next: an odd number of cache lines, so that a column
 * does not fall into a few sets of the cache over and over.
 */
// @ts-ignore: decorator
@inline
export function rowBytes(n: i32): usize {
  return <usize> ((((n + 15) >> 4) | 1) << 6);
}

/** Working memory for `rows` rows of `n` floats. Four rows more than asked: kernels may touch them. */
export function takeRows(rows: i32, n: i32): usize {
  return take(<usize> (rows + 4) * rowBytes(n));
}
