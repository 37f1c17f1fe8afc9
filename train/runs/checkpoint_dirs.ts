/** The checkpoints of a run dir, but for what their trainer writes in them. */

import { join } from "node:path";
import { z } from "zod";
import { RunDirError } from "../../env/errors.ts";
import { folderNames, readTextIfThere } from "./storage.ts";
import { checkVersion, parseJson, versionOf } from "./versions.ts";

/** The version of a checkpoint's directory; a newer one is refused. */
export const CHECKPOINT_VERSION = 1;

/**
 * The steps that a run keeps a checkpoint of, in order.
 * @param folder Whose. Default: the policy's.
 */
export async function checkpointSteps(
  path: string,
  folder = "checkpoints",
): Promise<number[]> {
  const all = await folderNames(join(path, folder));
  return all.filter((name) => /^\d+$/.test(name)).map(Number)
    .sort((a, b) => a - b);
}

/** What a run held when it wrote a checkpoint. */
const journalSchema = z.object({
  /** Lines of metrics, and the SHA-256 of their text. */
  lines: z.int(),
  sha256: z.string(),
  /** Rows of episodes.db. */
  episodes: z.int(),
});

/** What a run held when it wrote a checkpoint. */
export type Journal = z.infer<typeof journalSchema>;

/** What `checkpoint.json` holds. */
export function checkpointHead(step: number, journal: Journal): string {
  return JSON.stringify({ schemaVersion: CHECKPOINT_VERSION, step, journal });
}

/**
 * Checks that a checkpoint is whole and of this version, but for what its trainer wrote.
 * @returns What the run held then; `undefined` where an older version wrote it.
 * @param options.wayOut What to do about a damaged one, for the error. Default: {@linkcode instead}.
 * @throws {RunDirError} If it is not.
 */
export async function checkCheckpoint(
  path: string,
  options: { step: number; wayOut?: string },
): Promise<Journal | undefined> {
  const dir = join(path, "checkpoints", String(options.step));
  const head = parseJson(
    await readTextIfThere(join(dir, "checkpoint.json")) ?? "",
  );
  const version = versionOf(head);
  if (version === undefined) {
    throw new RunDirError(
      `The checkpoint "${dir}" is damaged: its checkpoint.json is missing or no JSON`,
      { hint: options.wayOut ?? instead(dir) },
    );
  }
  checkVersion(version, { known: CHECKPOINT_VERSION, path: dir });
  return journalSchema.safeParse((head as { journal?: unknown }).journal).data;
}

/** What to do with a checkpoint that cannot be used. */
export function instead(dir: string): string {
  return `remove "${dir}" and resume again: the run then goes on from the checkpoint before it`;
}
