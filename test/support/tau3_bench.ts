/**
 * Locates τ³-bench's data and recordings. They are in the directory that `TAU3_BENCH_DIR` names, by default in
 * `shared/tau3-bench` next to the repository.
 */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";

/** The directory of τ³-bench's data. */
export const TAU3_BENCH: string = Deno.env.get("TAU3_BENCH_DIR") ||
  fileURLToPath(new URL("../../../shared/tau3-bench", import.meta.url));

/** Whether τ³-bench's data is missing. If so, tests that need it are ignored. */
export const NO_TAU3_BENCH = !existsSync(TAU3_BENCH);

/** Returns the path of a recording. */
export function tau3RecordingPath(name: string): string {
  return `${TAU3_BENCH}/replays/${name}.jsonl.gz`;
}

/** Reads the records of a recording. Python's floats and ints remain distinct, such as `1.0` and `1`. */
export async function tau3Records(name: string): Promise<JsonObject[]> {
  const bytes = await readFile(tau3RecordingPath(name));
  return gunzipSync(bytes).toString().trim().split("\n").map((line) =>
    parsePythonJson(line) as JsonObject
  );
}
