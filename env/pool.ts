/** Limits concurrency. */

/** Runs work immediately if a slot is free, otherwise when one becomes free, in the order of the calls. */
export type Pool = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Creates a pool.
 * @param places The maximum number of concurrent calls.
 */
export function createPool(places: number): Pool {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
