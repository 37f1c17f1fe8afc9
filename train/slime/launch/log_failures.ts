/** Counts the samples that generate.py reports as dropped in a driver's log. */

import { logMessage } from "./log_line.ts";

/** Dropped samples by kind of failure. */
export type EpisodeFailures = Readonly<Record<string, number>>;

const LEFT_OUT = /^sample \S+ is (?:excluded|left out): (.*)/;
const EVAL_LEFT_OUT =
  /^eval (\S+) at rollout \d+: (\d+) tasks failed and are (?:excluded|left out)/;

/** Counts dropped samples until they are drained. */
export class FailureCounter {
  #counts: Record<string, number> = {};
  readonly #tasks = new Map<string, number>();

  take(line: string): void {
    const message = logMessage(line) ?? "";
    const reason = LEFT_OUT.exec(message)?.[1];
    if (reason !== undefined) {
      const kind = kindOf(reason);
      if (kind !== undefined) {
        this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
      }
    }
    const [, name, tasks] = EVAL_LEFT_OUT.exec(message) ?? [];
    if (name !== undefined) this.#tasks.set(name, Number(tasks));
  }

  /** Returns and resets the counts of samples. */
  drain(): EpisodeFailures {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }

  /** Returns and resets the count of tasks of the evaluation that just ended. */
  drainEval(name: string): number {
    const tasks = this.#tasks.get(name) ?? 0;
    this.#tasks.delete(name);
    return tasks;
  }
}

/** Returns the kind of failure. Samples that slime aborts because it has enough are not failures. */
function kindOf(reason: string): string | undefined {
  if (reason.startsWith("slime aborted")) return undefined;
  if (reason.includes("cannot be reached")) return "connection";
  if (/ answered 5\d\d/.test(reason)) return "server_error";
  if (reason.includes(" refused (")) return "refused";
  return /Timeout/.test(reason) ? "timeout" : "connection";
}
