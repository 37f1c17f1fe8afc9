/** Reads text files on a host through its shell. */

import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quote, type Shell } from "../hosts/shell.ts";

/**
 * Reads a text file on a host.
 * @returns The text; `undefined` if the file does not exist.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the file exists but cannot be read.
 */
export async function readHostFile(
  host: Shell,
  path: string,
  options: CallOptions = {},
): Promise<string | undefined> {
  const script = `[ -e ${quote(path)} ] || exit 44; cat ${quote(path)}`;
  const { code, stdout, stderr } = await host.run({ script }, options);
  if (code === 0) return stdout;
  if (code === 44) return undefined;
  throw new DataError(
    `Cannot read "${path}" on ${host.name}: ${lastWords(stderr, code)}`,
    { path },
  );
}

/**
 * Returns the last nonblank line of a command's error output, cut off after 300 characters. If there is none, returns
 * the exit status, such as `exit status 1`.
 */
export function lastWords(stderr: string, code: number): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.at(-1)?.slice(0, 300) ?? `exit status ${code}`;
}
