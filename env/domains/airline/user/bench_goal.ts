/**
 * Derives the goal of a τ-bench task from its gold writes. Each write becomes a request that states every value of the
 * call.
 */

import { isWrite } from "../../../audit/finding.ts";
import type { Database } from "../../../database.ts";
import type { Task, ToolAction } from "../../../types.ts";
import { type BenchGoal, benchGoal } from "../../shared/goal/bench_goal.ts";
import type { Request } from "../../shared/goal/goal.ts";
import { callWords } from "./call_words.ts";

/** A request of a τ-bench task. */
export interface BenchRequest extends Request {
  /** The name of the tool that fulfills the request, or `question`. */
  readonly intent: string;
  /** The call that fulfills the request; omitted for a question. */
  readonly call?: ToolAction;
}

/**
 * Returns the goal of a τ-bench task: one request per gold write, in order, and possibly a question.
 * @see benchGoal
 */
export function airlineBenchGoal(
  task: Task,
  database: Database,
): BenchGoal<BenchRequest> {
  return benchGoal<BenchRequest>(task, {
    database,
    requestsOf: () =>
      task.actions.filter(isWrite)
        .map((call) => ({ intent: call.name, call })),
  });
}

/** Phrases a request as the continuation of "i want to" or, for a question, of "what is the". */
export function benchWords({ call, question = "answer" }: BenchRequest) {
  return call === undefined ? question : callWords(call);
}
