/** The episodes of a group beside each other: where they part. */

import type { TurnView } from "./conversation_view.ts";

/** Where an episode leaves the path of another one. */
export interface Parting {
  readonly partsAt: number | null;
  readonly partsBy: string | null;
}

/**
 * The first turn in which `other` is not `mine`: another action, or another answer to it. `null` where neither
 * differs nor ends before the other.
 */
export function partingOf(
  mine: readonly TurnView[],
  other: readonly TurnView[],
): Parting {
  const length = Math.max(mine.length, other.length);
  for (let turn = 0; turn < length; turn++) {
    const [a, b] = [mine[turn], other[turn]];
    if (a !== undefined && b !== undefined && isSame(a, b)) continue;
    return { partsAt: turn, partsBy: b === undefined ? "ends" : wordsOf(b) };
  }
  return { partsAt: null, partsBy: null };
}

function isSame(a: TurnView, b: TurnView): boolean {
  return a.name === b.name && a.what === b.what &&
    a.observation === b.observation;
}

function wordsOf({ name, what }: TurnView): string {
  const text = name === null ? what : `${name} ${what}`;
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
