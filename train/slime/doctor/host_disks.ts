/** Reads the properties of a host's disks. */

import { DataError } from "../../../env/errors.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import { lastWords } from "./host_file.ts";

/** The disk that contains a directory. Sizes are in bytes. */
export interface Volume {
  /** The device, or the server of a network file system. */
  readonly source: string;
  readonly mount: string;
  readonly size: number;
  readonly free: number;
  /** Whether the directory, or its nearest existing parent, is writable. */
  readonly isWritable: boolean;
}

/**
 * Returns the disk that contains a directory. If the directory does not exist yet, returns the disk of its nearest
 * existing parent.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the disk cannot be determined.
 */
export async function readVolume(
  host: Shell,
  path: string,
  signal: AbortSignal,
): Promise<Volume> {
  const script = `d=${quote(path)}
while [ ! -e "$d" ]; do d=$(dirname "$d"); done
df -Pk "$d" | tail -n 1
[ -w "$d" ] && echo yes || echo no`;
  const { code, stdout, stderr } = await host.run({ script }, { signal });
  const [line = "", writable] = stdout.trim().split("\n");
  // The mount point comes last and may contain spaces.
  const cells = /^(.*?\S)\s+(\d+)\s+(\d+)\s+(\d+)\s+\S+\s+(\/.*)$/.exec(line);
  if (code !== 0 || cells === null) {
    throw new DataError(
      `Cannot determine the free disk space for "${path}" on ${host.name}: ${
        lastWords(stderr.trim() || line, code)
      }`,
      { hint: "check that the directory is accessible" },
    );
  }
  return {
    source: cells[1]!,
    mount: cells[5]!,
    size: Number(cells[2]) * 1024,
    free: Number(cells[4]) * 1024,
    isWritable: writable === "yes",
  };
}

/** Formats a number of bytes in gigabytes, such as `1.5 GB` or `120 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)} GB`;
}
