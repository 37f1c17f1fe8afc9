/** The file `metrics.jsonl`, opened for appending. */

import { join } from "node:path";
import type { AnyMetrics } from "./metrics.ts";
import { writeAll, writeFileAtomic } from "./storage.ts";

export const METRICS = "metrics.jsonl";

/** The metrics file of a run that is being written. There is only one writer. */
export class MetricsFile<L extends AnyMetrics> implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #lines: L[];

  /**
   * Opens the file, or creates it if it does not exist.
   * @param path The run dir.
   * @param lines The lines that the file already has.
   */
  constructor(path: string, lines: readonly L[] = []) {
    this.#lines = [...lines];
    this.#file = Deno.openSync(join(path, METRICS), {
      append: true,
      create: true,
    });
  }

  get lines(): readonly L[] {
    return this.#lines;
  }

  async append(lines: readonly L[]): Promise<void> {
    await writeAll(this.#file, new TextEncoder().encode(textOf(lines)));
    this.#lines.push(...lines);
  }

  /** Resolves when all lines are on disk. */
  sync(): Promise<void> {
    return this.#file.syncData();
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

/**
 * Rewrites a run's metrics with the given lines, to drop the lines after the last checkpoint or a last line that a
 * killed process left incomplete.
 */
export async function rewriteMetrics(
  path: string,
  lines: readonly AnyMetrics[],
): Promise<void> {
  await writeFileAtomic(join(path, METRICS), textOf(lines));
}

/** Serializes lines in the format of the file. */
export function textOf(lines: readonly AnyMetrics[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}
