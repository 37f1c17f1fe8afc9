/** The schema versions in a run dir's files, and JSON that may be damaged. */

import { z } from "zod";
import { RunDirError } from "../../env/errors.ts";

const versioned = z.object({ schemaVersion: z.int() });

/** The version that a record says it has. */
export function versionOf(json: unknown): number | undefined {
  return versioned.safeParse(json).data?.schemaVersion;
}

/** @throws {RunDirError} If a file is of a newer version than the one that is known. */
export function checkVersion(
  version: number,
  options: { known: number; path: string },
): void {
  if (version <= options.known) return;
  throw new RunDirError(
    `"${options.path}" has schema version ${version}, this taulab reads version ${options.known}`,
    {
      hint:
        "use the taulab that wrote it (version and commit are in the run's run.json), or start a new run",
    },
  );
}

/** `undefined` where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
