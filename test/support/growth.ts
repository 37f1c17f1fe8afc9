/** Measures how the CPU time to read a text grows with its length. CPU time does not depend on the machine's load. */

import process from "node:process";

/** Length of the shorter text in UTF-16 code units. */
const SMALL = 4_000;
/** Length of the longer text in UTF-16 code units. */
const LARGE = 16_000;
/** The minimum CPU time, in milliseconds, that quadratic work on the longer text takes. */
const NOTICEABLE_MS = 12;

/**
 * The largest accepted growth factor of the CPU time. From the shorter to the longer text, n log n work grows by a
 * factor of 5, and quadratic work by a factor of 16.
 */
const MAX_GROWTH = 9;

/**
 * Measures whether the CPU time to read a text grows faster than n log n.
 * @param make Creates a text of about the given length.
 * @returns The growth factor from the shorter to the longer text; `undefined` if it is accepted.
 */
export function superlinear(
  read: (text: string) => unknown,
  make: (size: number) => string,
): number | undefined {
  const [small, text] = [make(SMALL), make(LARGE)];
  // Most calls are fast, or their growth is clearly smaller.
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
