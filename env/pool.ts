/** Bounded concurrency. */

/** Runs work at once when a place is free, else in the order of the calls. */
export type Pool = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Makes a pool.
 * @param places How much of its work is under way at most.
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
