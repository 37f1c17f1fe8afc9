/** Experts of desks where an agent either speaks or calls, and has no tool to think with. */

import type { Script } from "../../../agents/desk.ts";
import type { Observation } from "../../../types.ts";

const UNSEEN: Observation = { source: "tool", content: "", done: false };

/** The same expert without calls of `think`, and without notes beside its calls. */
export function withoutThoughts<S>(
  serve: (shift: S) => Script,
): (shift: S) => Script {
  return function* (shift) {
    const script = serve(shift);
    let step = script.next();
    while (!step.done) {
      const move = step.value;
      if (move.type === "say") step = script.next(yield move);
      else if (move.action.name === "think") step = script.next(UNSEEN);
      else step = script.next(yield { ...move, content: "" });
    }
  };
}
