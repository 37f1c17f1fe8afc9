/**
 * Reads and writes `launch.json`, the record of everything that was started for a run, so that another process can
 * follow the run and stop exactly what was started.
 */

import { parseJson, versionOf } from "../../runs/versions.ts";
import { join } from "node:path";
import { z } from "zod";
import { RunDirError } from "../../../env/errors.ts";
import {
  attempt,
  readTextIfThere,
  writeFileAtomic,
} from "../../runs/storage.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { JOB_STATES } from "./ray_jobs.ts";
import { startedRaySchema } from "./ray_cluster.ts";

/** The version of `launch.json`. Version 1 can still be read; all other versions are refused. */
export const LAUNCH_VERSION = 2;

const sessionSchema = z.object({
  submissionId: z.string(),
  /**
   * The number of rollouts trained before this session, as recorded in the checkpoint that the session resumed from; 0
   * if the session started from the beginning.
   */
  fromStep: z.int(),
  /** The time of the submission, in UTC and in ISO 8601 format. */
  submittedAt: z.string(),
  /** The final state of the job; `null` while the job may be running. */
  state: z.enum(JOB_STATES).nullable(),
});

/** The schema of `launch.json`. */
export const launchRecordSchema = z.object({
  schemaVersion: z.literal(LAUNCH_VERSION),
  /** The URL of Ray's Jobs API. */
  jobsUrl: z.string(),
  /** The name of the host that runs Ray's head node. */
  head: z.string(),
  /** The directory of the run's checkpoints on the head. */
  checkpoints: z.string(),
  /** The number of tasks in each split that is evaluated. */
  evalTasks: z.object({
    dev: z.int().optional(),
    test: z.int().optional(),
  }),
  /** The sessions of the run, with one job each. Only the last job may be running. */
  sessions: z.array(sessionSchema),
  /**
   * The Ray cluster that was started for the run and has not been stopped yet; `null` if there is none, for example
   * because the run joined a cluster.
   */
  ray: startedRaySchema.nullable(),
  /** The episode servers that were started for the run and have not been stopped yet. */
  services: z.array(
    z.object({
      url: z.string(),
      pid: z.int(),
      instance: z.string(),
      host: z.string().default(THIS_MACHINE),
    }),
  ),
});

/** The record of everything that was started for a run. */
export type LaunchRecord = Readonly<z.infer<typeof launchRecordSchema>>;

/** The record of one session of a run. Each session has one job. */
export type LaunchSession = Readonly<z.infer<typeof sessionSchema>>;

/**
 * Reads the record of a run.
 * @returns The record; `undefined` if nothing has been started yet.
 * @throws {RunDirError} If the record is damaged or from an incompatible version.
 */
export async function readLaunchRecord(
  path: string,
): Promise<LaunchRecord | undefined> {
  const file = join(path, "launch.json");
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  const result = launchRecordSchema.safeParse(currentRecord(parseJson(text)));
  if (result.success) return result.data;
  throw new RunDirError(
    `"${file}" is damaged or was written by another version, so taulab cannot tell what the run started`,
    {
      cause: result.error,
      hint:
        'use the version of taulab that wrote it (see run.json), or stop the job with "ray job stop"',
    },
  );
}

/** Converts a record to the current version: version 1 called the sessions `sittings`. */
function currentRecord(json: unknown): unknown {
  if (versionOf(json) !== 1) return json;
  const { sittings, ...record } = json as Record<string, unknown>;
  return { ...record, schemaVersion: LAUNCH_VERSION, sessions: sittings };
}

/**
 * Writes the record of a run atomically.
 * @throws {RunDirError} If the file cannot be written.
 */
export async function writeLaunchRecord(
  path: string,
  record: LaunchRecord,
): Promise<void> {
  const file = join(path, "launch.json");
  const what = {
    doing: `write "${file}"`,
    path: file,
    afterwards: `attach again with --attach ${path}`,
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await attempt(what, () => writeFileAtomic(file, text));
}
