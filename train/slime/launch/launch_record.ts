/**
 * `launch.json` of a run: the handles of what was started for it, so that another process can follow and stop
 * just that.
 */

import { parseJson } from "../../runs/versions.ts";
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

/** The version of `launch.json`; another is refused. */
export const LAUNCH_VERSION = 1;

const sessionSchema = z.object({
  submissionId: z.string(),
  /** Rollouts that were trained on before it: those of the checkpoint that it went on from. */
  fromStep: z.int(),
  /** ISO 8601, UTC. */
  submittedAt: z.string(),
  /** How it ended; `null` while it may run. */
  state: z.enum(JOB_STATES).nullable(),
});

/** What `launch.json` holds. */
export const launchRecordSchema = z.object({
  schemaVersion: z.literal(LAUNCH_VERSION),
  /** Ray's Jobs interface. */
  jobsUrl: z.string(),
  /** The host of Ray's head, by its name. */
  head: z.string(),
  /** Where slime keeps the run's checkpoints, on the head. */
  checkpoints: z.string(),
  /** Tasks of each split that is evaluated. */
  evalTasks: z.object({
    dev: z.int().optional(),
    test: z.int().optional(),
  }),
  /** The sessions of the run, a job each, by the name that this file has had from its first version; the last one is what runs. */
  sittings: z.array(sessionSchema),
  /** Ray, as far as it was started here and not ended; `null` where a cluster was joined. */
  ray: startedRaySchema.nullable(),
  /** Episode servers that were started here and not ended. */
  services: z.array(
    z.object({
      url: z.string(),
      pid: z.int(),
      instance: z.string(),
      host: z.string().default(THIS_MACHINE),
    }),
  ),
});

/** What was started for a run. */
export type LaunchRecord = Readonly<z.infer<typeof launchRecordSchema>>;

/** A job of a run. */
export type LaunchSession = Readonly<z.infer<typeof sessionSchema>>;

/**
 * Reads the record of a run.
 * @returns `undefined` where nothing was started yet.
 * @throws {RunDirError} If it is damaged or of another version.
 */
export async function readLaunchRecord(
  path: string,
): Promise<LaunchRecord | undefined> {
  const file = join(path, "launch.json");
  const text = await readTextIfThere(file);
  if (text === undefined) return undefined;
  const result = launchRecordSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  throw new RunDirError(
    `"${file}" is damaged or of another version, so what was started for the run is not known`,
    {
      cause: result.error,
      hint:
        'use the taulab that wrote it (run.json has its version), or stop the job by Ray\'s own "ray job stop"',
    },
  );
}

/** Writes it whole. @throws {RunDirError} If the disk refuses. */
export async function writeLaunchRecord(
  path: string,
  record: LaunchRecord,
): Promise<void> {
  const file = join(path, "launch.json");
  const what = {
    doing: `write "${file}"`,
    path: file,
    afterwards: `attach again by --attach ${path}`,
  };
  const text = `${JSON.stringify(record, null, 2)}\n`;
  await attempt(what, () => writeFileAtomic(file, text));
}
