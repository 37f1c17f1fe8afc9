/** Padding a text to a width, by code points. */

import type { Machine } from "./machine.ts";
import { stringLength } from "./values.ts";

/** Where a text stands in its width. */
export type Alignment = "<" | ">" | "^";

/** A text padded to a width. */
export function pad(
  text: string,
  { width, align, fill = " ", machine }: {
    readonly width: number;
    readonly align: Alignment;
    readonly fill?: string;
    readonly machine: Machine;
  },
): string {
  const missing = width - stringLength(text);
  if (missing <= 0) return text;
  machine.checkLength(width);
  machine.spend(missing >> 4);
  const left = align === "<" ? 0 : align === ">" ? missing : missing >> 1;
  return fill.repeat(left) + text + fill.repeat(missing - left);
}
