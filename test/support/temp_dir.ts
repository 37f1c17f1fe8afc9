/** Creates temporary directories for tests. */

import { join } from "node:path";

/** The maximum number of characters that are printed from the end of each log of a failed test. */
const SHOWN = 4_000;

/**
 * Calls `body` with an empty temporary directory, which is always removed afterwards. If `body` fails, the ends of the
 * log files in the directory are printed first.
 */
export async function inTempDir(
  body: (dir: string) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await body(dir);
  } catch (error) {
    for await (const path of logsIn(dir)) {
      const text = await Deno.readTextFile(path).catch(String);
      console.error(`${path} ends with:\n${text.slice(-SHOWN)}`);
    }
    throw error;
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function* logsIn(dir: string): AsyncGenerator<string> {
  for await (const { name, isFile, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isFile && name.endsWith(".log")) yield path;
    if (isDirectory) yield* logsIn(path);
  }
}
