/** Matches the records in a τ³-bench result file to the tasks in that file, using the databases of a data directory. */

import { DataError } from "../../../errors.ts";
import { fromPlain } from "../../../python/python_value.ts";
import { sameCanonical } from "../../../state_hash.ts";
import type { KnownTask, KnownTasks } from "../../results/result_episode.ts";
import { loadTau3Tasks } from "../load_bundle.ts";
import { tau3Bench, upstreamId } from "../tau3_bench.ts";
import type { Tau3Task } from "../tau3_task.ts";
import type { Tau3ResultFile } from "./tau3_result_file.ts";

/**
 * Returns the tasks of the records in a result file. Tasks that the file lacks, and the databases, come from a data
 * directory.
 * @throws {DataError} If the file does not name its domain, or the domain in the directory is missing or invalid.
 * @throws {ConfigError} If this version of taulab does not implement the domain.
 */
export async function tau3TasksOf(
  file: Tau3ResultFile,
  directory: string,
): Promise<KnownTasks> {
  const { domain, path, records, tasks, isSolo: solo } = file;
  if (domain === null) {
    throw new DataError(
      `"${path}" does not name its domain in info.environment_info`,
      {
        path,
        hint: "pass the complete result file",
      },
    );
  }
  const dataset = await tau3Bench(directory, { domain, solo, recorded: tasks });
  const known = await loadTau3Tasks(directory, domain);
  const own = new Map(known.tasks.map((task) => [task.id, task]));
  const changed = new Set(
    tasks.filter((task) => !isSame(task, own.get(task.id))).map(({ id }) => id),
  );
  const byId = new Map(
    dataset.splits.toReversed().flatMap((split) => dataset.tasks(split))
      .map((task) => [upstreamId(task), task]),
  );
  return new Map(
    records.map(({ number, taskId }): [number, KnownTask | null] => {
      const task = byId.get(taskId);
      return [
        number,
        task === undefined
          ? null
          : { dataset, task, isRecorded: changed.has(taskId) },
      ];
    }),
  );
}

function isSame(task: Tau3Task, other: Tau3Task | undefined): boolean {
  return other !== undefined && sameCanonical(plain(task), plain(other));
}

/** Returns the parts of a task that episodes depend on. */
function plain({ original: _, issues: _issues, ...task }: Tau3Task) {
  return fromPlain(task);
}
