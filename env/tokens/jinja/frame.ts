/** Stores the variables of a running function. */

import type { Machine } from "./machine.ts";
import type { FunctionLayout, Scope, Variable } from "./scope.ts";
import type { Value } from "./values.ts";

/** The values of the variables in a {@linkcode FunctionLayout}. The parent is the frame of the enclosing function. */
export class Frame {
  /** The values of the variables, indexed by slot. A variable without a value is `undefined`. */
  readonly slots: (Value | undefined)[];
  readonly parent: Frame | null;
  readonly machine: Machine;

  constructor(
    layout: FunctionLayout,
    { parent, machine }: {
      readonly parent: Frame | null;
      readonly machine: Machine;
    },
  ) {
    this.slots = new Array(layout.size).fill(undefined);
    this.parent = parent;
    this.machine = machine;
  }
}

/** A function that returns the value of a variable, or `undefined` for a variable without a value. */
export type Read = (frame: Frame) => Value | undefined;

/**
 * Creates a reader for a variable.
 * @param from The function whose frame is passed to the reader: either the variable's own function or a function nested
 * in it.
 */
export function reader(variable: Variable, from: FunctionLayout): Read {
  const { slot } = variable;
  const distance = distanceTo(variable, from);
  if (distance === 0) return (frame) => frame.slots[slot];
  if (distance === 1) return (frame) => frame.parent!.slots[slot];
  return (frame) => {
    let around = frame;
    for (let i = 0; i < distance; i++) around = around.parent!;
    return around.slots[slot];
  };
}

function distanceTo(variable: Variable, from: FunctionLayout): number {
  let distance = 0;
  for (
    let layout: FunctionLayout | null = from;
    layout !== variable.layout;
    layout = layout!.parent
  ) distance++;
  return distance;
}

/**
 * Creates a function that initializes the variables of a scope on entry. Returns `null` if there is nothing to
 * initialize.
 */
export function entrance(scope: Scope): ((frame: Frame) => void) | null {
  const steps = scope.loads.flatMap(([slot, load]) => {
    switch (load.type) {
      case "parameter":
        return [];
      case "undefined":
        return [(frame: Frame) => void (frame.slots[slot] = undefined)];
      case "resolve": {
        const { name } = load;
        return [(frame: Frame) => {
          frame.slots[slot] = frame.machine.resolve(name);
        }];
      }
      case "alias": {
        const read = reader(load.of, scope.layout);
        return [(frame: Frame) => void (frame.slots[slot] = read(frame))];
      }
    }
  });
  if (steps.length === 0) return null;
  return (frame) => {
    for (let i = 0; i < steps.length; i++) steps[i]!(frame);
  };
}
