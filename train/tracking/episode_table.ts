/** Creates the table of a run's episodes that trackers show. */

import { readEpisodeRows } from "../runs/read_episode_rows.ts";
import type { Table } from "./run_tracker.ts";

/** The maximum number of rows. The last rows are kept, because a completed run ends with evaluations. */
const MAX_ROWS = 1000;

const COLUMNS = [
  "id",
  "step",
  "source",
  "task_id",
  "trial",
  "intent",
  "reward",
  "reason",
  "stop_reason",
  "failure_kind",
  "turn_count",
  "token_count",
  "agent_cost",
  "user_cost",
  "duration_ms",
] as const;

/**
 * Returns the last episodes of a run; an empty table if they cannot be read.
 */
export async function frameTable(path: string): Promise<Table> {
  const all = await readEpisodeRows(path).catch(() => []);
  const rows = all.slice(-MAX_ROWS)
    .map((row) => COLUMNS.map((column) => row[column]));
  return { columns: COLUMNS, rows };
}
