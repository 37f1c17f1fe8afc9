/** Pads strings to a width in code points. */

import type { Machine } from "./machine.ts";
import { stringLength } from "./values.ts";

/** The alignment of a padded string. */
export type Alignment = "<" | ">" | "^";

/** Pads a string to a width in code points. */
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
