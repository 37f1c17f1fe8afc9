/** Disks of a host. */

import { DataError } from "../../../env/errors.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import { lastWords } from "./host_file.ts";

/** The disk that a directory is on. */
export interface Volume {
  /** The device or server. */
  readonly source: string;
  readonly mount: string;
  readonly size: number;
  readonly free: number;
  readonly isWritable: boolean;
}

/** Asks of the nearest directory that is there: what is to be made will be on its disk. */
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
  // The mount is last, as its name may hold spaces.
  const cells = /^(.*?\S)\s+(\d+)\s+(\d+)\s+(\d+)\s+\S+\s+(\/.*)$/.exec(line);
  if (code !== 0 || cells === null) {
    throw new DataError(
      `df says of "${path}" on ${host.name}: ${
        lastWords(stderr.trim() || stdout, code)
      }`,
      { hint: "see whether the directory can be reached" },
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

/** `1.5 GB`, `120 GB`. */
export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)} GB`;
}
