/** Counts the samples and evaluation tasks that generate.py reports as dropped in the log of slime's driver. */

import { logMessage } from "./log_line.ts";

/** The number of dropped samples per kind of failure. */
export type EpisodeFailures = Readonly<Record<string, number>>;

const LEFT_OUT = /^sample \S+ is (?:excluded|left out): (.*)/;
const EVAL_LEFT_OUT =
  /^eval (\S+) at rollout \d+: (\d+) tasks failed and are (?:excluded|left out)/;

/** Counts dropped samples and evaluation tasks until the counts are read. */
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

  /** Returns the counts of dropped samples and resets them. */
  drain(): EpisodeFailures {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }

  /** Returns the number of tasks that were dropped from the last evaluation of the dataset `name`, and resets it. */
  drainEval(name: string): number {
    const tasks = this.#tasks.get(name) ?? 0;
    this.#tasks.delete(name);
    return tasks;
  }
}

/**
 * Returns the kind of a failure; `undefined` for a sample that slime aborted because it had enough samples, which is
 * not a failure.
 */
function kindOf(reason: string): string | undefined {
  if (reason.startsWith("slime aborted")) return undefined;
  if (reason.includes("cannot be reached")) return "connection";
  if (/ answered 5\d\d/.test(reason)) return "server_error";
  if (reason.includes(" refused (")) return "refused";
  return /Timeout/.test(reason) ? "timeout" : "connection";
}
