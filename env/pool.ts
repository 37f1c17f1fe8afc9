/** Limits the number of asynchronous calls that run at the same time. */

/** A function that runs work immediately if a slot is free, or else waits for a slot. Waiting calls run in order. */
export type Pool = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Creates a pool, which limits concurrency.
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
