/** Lists and checks the checkpoint directories of a run, but not the files that the trainer writes in them. */

import { join } from "node:path";
import { z } from "zod";
import { RunDirError } from "../../env/errors.ts";
import { folderNames, readTextIfThere } from "./storage.ts";
import { checkVersion, parseJson, versionOf } from "./versions.ts";

/** The version of the checkpoint directory's format; directories with a newer version are rejected. */
export const CHECKPOINT_VERSION = 1;

/**
 * Returns the steps for which a run has a checkpoint, in order.
 * @param folder The folder with the checkpoints. Default: the folder of the policy's checkpoints.
 */
export async function checkpointSteps(
  path: string,
  folder = "checkpoints",
): Promise<number[]> {
  const all = await folderNames(join(path, folder));
  return all.filter((name) => /^\d+$/.test(name)).map(Number)
    .sort((a, b) => a - b);
}

/** The schema of a {@linkcode Journal}. */
const journalSchema = z.object({
  /** The number of lines in `metrics.jsonl`. */
  lines: z.int(),
  /** The SHA-256 of the text of these lines. */
  sha256: z.string(),
  /** The number of rows in `episodes.db`. */
  episodes: z.int(),
});

/** How much of a run was on disk at the time of a checkpoint: the numbers of lines and rows, and a checksum. */
export type Journal = z.infer<typeof journalSchema>;

/** Returns the text of `checkpoint.json`. */
export function checkpointHead(step: number, journal: Journal): string {
  return JSON.stringify({ schemaVersion: CHECKPOINT_VERSION, step, journal });
}

/**
 * Checks that a checkpoint is complete and compatible with this version. The trainer's own files are not checked.
 * @param options.hint The error's hint for a damaged checkpoint. Default: {@linkcode checkpointHint}.
 * @returns The checkpoint's journal; `undefined` if it has none, as in checkpoints of older versions.
 * @throws {RunDirError} If the checkpoint is damaged or from an incompatible version.
 */
export async function checkCheckpoint(
  path: string,
  options: { step: number; hint?: string },
): Promise<Journal | undefined> {
  const dir = join(path, "checkpoints", String(options.step));
  const head = parseJson(
    await readTextIfThere(join(dir, "checkpoint.json")) ?? "",
  );
  const version = versionOf(head);
  const journal = journalSchema.optional().safeParse(
    (head as { journal?: unknown } | undefined)?.journal,
  );
  if (version === undefined || !journal.success) {
    throw new RunDirError(
      `The checkpoint "${dir}" is damaged: its checkpoint.json is missing or invalid`,
      { hint: options.hint ?? checkpointHint(dir) },
    );
  }
  checkVersion(version, { known: CHECKPOINT_VERSION, path: dir });
  return journal.data;
}

/** Returns the hint for a checkpoint that cannot be used. */
export function checkpointHint(dir: string): string {
  return `remove "${dir}" and resume again: the run then continues from the checkpoint before it, or from the start`;
}
