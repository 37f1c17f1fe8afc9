/**
 * Measures how the time to read a text grows with its length, in CPU time, which does not depend on the machine's load.
 */

import process from "node:process";

/** Sizes in UTF-16 units. Quadratic work on the larger one takes at least this many milliseconds. */
const SMALL = 4_000;
const LARGE = 16_000;
const NOTICEABLE_MS = 12;

/** Between these sizes, n log n grows by a factor of 5, quadratic work by 16. */
const MAX_GROWTH = 9;

/**
 * Returns how many times longer the larger text takes, if the time grows faster than n log n; `undefined` otherwise.
 * @param make Creates a text of about the given length.
 */
export function superlinear(
  read: (text: string) => unknown,
  make: (size: number) => string,
): number | undefined {
  const [small, text] = [make(SMALL), make(LARGE)];
  // Most calls are fast, or clearly grow by less.
  const once = cpuMs(() => read(text));
  if (once < NOTICEABLE_MS) return undefined;
  if (once < MAX_GROWTH / 2 * cpuMs(() => read(small))) return undefined;
  // Exclude compilation and garbage collection of the first run.
  if (least(() => read(text)) < NOTICEABLE_MS) return undefined;
  const repeats = 8;
  const smallMs = least(() => {
    for (let i = 0; i < repeats; i++) read(small);
  }) / repeats;
  const growth = least(() => read(text)) / Math.max(smallMs, 0.05);
  return growth > MAX_GROWTH ? growth : undefined;
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
