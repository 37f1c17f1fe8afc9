/** Adapts experts to domains that have no `think` tool and in which an agent's turn is either a message or a call. */

import type { Script } from "../../../agents/desk.ts";
import type { Observation } from "../../../types.ts";

const UNSEEN: Observation = { source: "tool", content: "", done: false };

/** Wraps an expert so that it makes no `think` calls, and sends no text along with its calls. */
export function withoutThoughts<S>(
  serve: (start: S) => Script,
): (start: S) => Script {
  return function* (start) {
    const script = serve(start);
    let step = script.next();
    while (!step.done) {
      const move = step.value;
      if (move.type === "say") step = script.next(yield move);
      else if (move.action.name === "think") step = script.next(UNSEEN);
      else step = script.next(yield { ...move, content: "" });
    }
  };
}
