/** How the work of reading a text grows with the text: by the processor's time, which a busy machine does not change. */

import process from "node:process";

/** Sizes in UTF-16 units. At the larger one what is quadratic takes at least this many milliseconds. */
const SMALL = 4_000;
const LARGE = 16_000;
const NOTICEABLE_MS = 12;

/** From one size to the other n log n grows by 5, what is quadratic by 16. */
const MOST_GROWTH = 9;

/**
 * How many times longer the larger text takes, where that is more than n log n; `undefined` where it is not.
 * @param make A text of about so many units.
 */
export function superlinear(
  read: (text: string) => unknown,
  make: (size: number) => string,
): number | undefined {
  const [small, text] = [make(SMALL), make(LARGE)];
  // Most are done at once, or plainly grow by less.
  const once = cpuMs(() => read(text));
  if (once < NOTICEABLE_MS) return undefined;
  if (once < MOST_GROWTH / 2 * cpuMs(() => read(small))) return undefined;
  // What a first run compiles and collects does not count.
  if (least(() => read(text)) < NOTICEABLE_MS) return undefined;
  const repeats = 8;
  const smallMs = least(() => {
    for (let i = 0; i < repeats; i++) read(small);
  }) / repeats;
  const growth = least(() => read(text)) / Math.max(smallMs, 0.05);
  return growth > MOST_GROWTH ? growth : undefined;
}

function least(run: () => unknown): number {
  return Math.min(cpuMs(run), cpuMs(run), cpuMs(run));
}

function cpuMs(run: () => unknown): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
