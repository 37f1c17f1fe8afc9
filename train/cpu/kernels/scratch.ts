/**
 * Allocates the scratch memory of one call sequentially. Allocations are never freed, and an allocation beyond the end
 * of the memory traps.
 */

let cursor: usize = 0;
let limit: usize = 0;

/** Resets the scratch memory to `[base, end)`. */
export function openScratch(base: usize, end: usize): void {
  cursor = (base + 63) & ~63;
  limit = end;
}

/** Allocates `bytes` bytes, aligned to a cache line; traps if there is not enough memory. */
export function take(bytes: usize): usize {
  const at = cursor;
  cursor = (at + bytes + 63) & ~63;
  if (cursor > limit || cursor < at) unreachable();
  return at;
}

/** Returns the end of the memory in use. */
export function scratchUsed(): usize {
  return cursor;
}

/**
 * Returns the number of bytes from one row of `n` floats to the next: an odd number of cache lines, so that the
 * elements of a column are spread across all sets of the cache.
 */
// @ts-ignore: decorator
@inline
export function rowBytes(n: i32): usize {
  return <usize> ((((n + 15) >> 4) | 1) << 6);
}

/** Allocates `rows` rows of `n` floats, plus four more rows that kernels may access. */
export function takeRows(rows: i32, n: i32): usize {
  return take(<usize> (rows + 4) * rowBytes(n));
}
