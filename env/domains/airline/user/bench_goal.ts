/** What the gold writes of a τ-bench task say that its user wants: each of them, in words that leave nothing open. */

import { isWrite } from "../../../audit/finding.ts";
import type { Database } from "../../../database.ts";
import type { Task, ToolAction } from "../../../types.ts";
import { type BenchGoal, benchGoal } from "../../shared/goal/bench_goal.ts";
import type { Request } from "../../shared/goal/goal.ts";
import { callWords } from "./call_words.ts";

/** A request of a τ-bench task. */
export interface BenchRequest extends Request {
  /** The tool that meets it, or `question`. */
  readonly intent: string;
  /** None for a question. */
  readonly call?: ToolAction;
}

/** The goal of a τ-bench task: a request for each gold write, in order. @see benchGoal */
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

/** The request as its user puts it, to follow "i want to" (questions: "what is the"). */
export function benchWords({ call, question = "answer" }: BenchRequest) {
  return call === undefined ? question : callWords(call);
}
