/**
 * The offline mode of the W&B tracker: a run in the directory `wandb` of the run dir, which `wandb sync` uploads. It
 * needs neither a key nor the network.
 */

import { dirname, join } from "node:path";
import { stamp } from "../runs/run_info.ts";
import {
  folderNames,
  readTextIfThere,
  removeIfThere,
} from "../runs/storage.ts";
import type { OpenTracker, Point, RunEnd, Tracker } from "./run_tracker.ts";
import type { TrackingConfig } from "./tracking_schema.ts";
import {
  axisRecord,
  countRows,
  exitRecord,
  fileRecord,
  headerRecord,
  historyRecord,
  runRecord,
  summaryRecord,
  WandbLog,
} from "./wandb_log.ts";
import {
  pointRow,
  WANDB_AXIS,
  wandbEnd,
  type WandbRun,
  wandbRuns,
  wandbRuntime,
} from "./wandb_run.ts";

/** The name prefix of offline run directories. The tracker leaves other directories alone. */
const OFFLINE = "offline-run-";

/**
 * Creates the tracker. A resumed run keeps its ID in W&B, where `wandb sync` appends to the existing rows. Therefore,
 * rows that are not synced yet are rewritten without the dropped steps, and synced rows are not written again.
 */
export function offlineWandb(config: TrackingConfig): Tracker {
  const describe = wandbRuns(config);
  return {
    name: "wandb",
    startsOver: true,
    async open(run, { before }) {
      const synced = await removeUnsynced(run);
      const uploaded = Number(before?.["rows"] ?? 0);
      return await openRun(describe(run, before), Math.max(synced, uploaded));
    },
  };
}

/**
 * Removes offline runs that were not synced.
 * @returns The number of history rows in the remaining offline runs.
 */
export async function removeUnsynced(
  { path }: { readonly path: string },
): Promise<number> {
  const dir = join(path, "wandb");
  let rows = 0;
  for (const name of await folderNames(dir)) {
    if (!name.startsWith(OFFLINE)) continue;
    const file = join(dir, name, `run-${name.split("-").at(-1)}.wandb`);
    const isSynced = await readTextIfThere(`${file}.synced`) !== undefined;
    if (isSynced) rows += countRows(await Deno.readFile(file));
    else await removeIfThere(join(dir, name));
  }
  return rows;
}

/** Creates the directory of an offline run. A session that starts in the same second as another gets a later time. */
async function createDir({ path, id }: WandbRun): Promise<string> {
  await Deno.mkdir(join(path, "wandb"), { recursive: true });
  for (let time = Date.now();; time += 1000) {
    const date = stamp(new Date(time)).replace("-", "_");
    const dir = join(path, "wandb", `${OFFLINE}${date}-${id}`);
    try {
      await Deno.mkdir(dir);
      return dir;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/**
 * Creates the directory and the files of an offline run.
 * @param synced The number of rows that W&B already has and that are not written again.
 */
async function openRun(run: WandbRun, synced: number): Promise<OpenTracker> {
  const dir = await createDir(run);
  const log = await WandbLog.create(join(dir, `run-${run.id}.wandb`));
  await log.append([
    headerRecord(`taulab ${run.version}`),
    runRecord(run),
    axisRecord(WANDB_AXIS),
  ]);
  let index = 0;
  return {
    link: `wandb sync ${dir}`,
    place: { runId: run.id },
    async send(points: readonly Point[]) {
      const rows = points.map((point, i) =>
        pointRow(point, { run, index: index + i })
      );
      await log.append(
        rows.flatMap((row) =>
          row._step < synced
            ? [summaryRecord(row)]
            : [summaryRecord(row), historyRecord(row)]
        ),
      );
      index += points.length;
    },
    async end(end: RunEnd) {
      const { values, path, data, exitCode } = wandbEnd(end, { run, index });
      const file = join(dir, "files", path);
      await Deno.mkdir(dirname(file), { recursive: true });
      await Deno.writeFile(file, data);
      await log.append([
        fileRecord(path),
        summaryRecord(values),
        exitRecord({ code: exitCode, seconds: wandbRuntime(values) }),
      ]);
    },
  };
}
