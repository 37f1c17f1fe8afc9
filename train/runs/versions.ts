/** Checks the schema versions in a run dir's files, and parses JSON that may be damaged. */

import { z } from "zod";
import { RunDirError } from "../../env/errors.ts";

const versioned = z.object({ schemaVersion: z.int() });

/** Returns the schema version of a parsed record; `undefined` if it has none. */
export function versionOf(json: unknown): number | undefined {
  return versioned.safeParse(json).data?.schemaVersion;
}

/**
 * Checks that this program supports the schema version of a file.
 * @throws {RunDirError} If the version is newer than the latest supported version.
 */
export function checkVersion(
  version: number,
  options: { known: number; path: string },
): void {
  if (version <= options.known) return;
  throw new RunDirError(
    `"${options.path}" has schema version ${version}, but this version of taulab supports versions up to ${options.known}`,
    {
      hint:
        "use the version of taulab that wrote it (run.json has its version and commit), or start a new run",
    },
  );
}

/** Parses JSON. Returns `undefined` if the text is invalid. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
