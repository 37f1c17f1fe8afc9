/** Lists a model's directory on a host and reads the headers of its weight files, without transferring the weights. */

import { DataError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import { lastWords } from "./host_file.ts";
import { parseShardHeader, type Shard, type ShardHeader } from "./shards.ts";

/** The maximum length in bytes of a safetensors header. */
const MAX_HEADER = 100_000_000;

/** A readable `.json`, `.jinja` or `.txt` file in a model's directory. */
export interface SmallFile {
  readonly size: number;
  /** The checksum that POSIX `cksum` prints. */
  readonly checksum: string;
}

/** A model's directory on a host. */
export interface HostModel {
  readonly shards: ReadonlyMap<string, Shard>;
  readonly files: ReadonlyMap<string, SmallFile>;
}

/**
 * Lists a model's directory on a host.
 * @returns The files; `null` if the directory does not exist.
 * @throws {HostError} If the host cannot be reached.
 * @throws {DataError} If the directory cannot be read.
 */
export async function listModel(
  host: Shell,
  dir: string,
  options: CallOptions = {},
): Promise<HostModel | null> {
  const script = `[ -d ${quote(dir)} ] || exit 44
cd ${quote(dir)} || exit 1
for f in *.safetensors; do
  [ -e "$f" ] || continue
  r=no; h=
  [ -r "$f" ] && r=yes && h=$(od -An -tu8 -N8 "$f" 2>/dev/null | tr -d ' ')
  echo "shard $(wc -c < "$f" 2>/dev/null || echo 0) $r \${h:--} $f"
done
for f in *.json *.jinja *.txt; do
  [ -r "$f" ] && echo "file $(cksum < "$f") $f"
done
exit 0`;
  const { code, stdout, stderr } = await host.run({ script }, options);
  if (code === 44) return null;
  if (code !== 0) {
    throw new DataError(
      `Cannot read "${dir}" on ${host.name}: ${lastWords(stderr, code)}`,
      { hint: "change its mode or owner" },
    );
  }
  const lines = stdout.split("\n");
  return {
    shards: new Map(lines.flatMap(shardOf)),
    files: new Map(lines.flatMap(fileOf)),
  };
}

function shardOf(line: string): [string, Shard][] {
  const found = /^shard\s+(\d+) (yes|no) (\d+|-) (.+)$/.exec(line);
  if (found === null) return [];
  const [, size, readable, length, name = ""] = found;
  const headerLength = length === "-" || Number(size) < 8
    ? null
    : Number(length);
  return [[name, {
    name,
    size: Number(size),
    isReadable: readable === "yes",
    headerLength,
  }]];
}

function fileOf(line: string): [string, SmallFile][] {
  const found = /^file (\d+) (\d+) (.+)$/.exec(line);
  if (found === null) return [];
  const [, checksum = "", size, name = ""] = found;
  return [[name, { size: Number(size), checksum }]];
}

/**
 * Reads the headers of weight files.
 * @returns The headers, keyed by file name; `null` for a file whose header is damaged or cannot be read.
 * @throws {HostError} If the host cannot be reached.
 */
export async function readHeaders(
  host: Shell,
  { dir, shards, ...options }: CallOptions & {
    readonly dir: string;
    readonly shards: readonly Shard[];
  },
): Promise<Map<string, ShardHeader | null>> {
  const headers = await Promise.all(shards.map(async (shard) => {
    const { name, headerLength, size } = shard;
    const isSound = headerLength !== null && headerLength <= MAX_HEADER &&
      8 + headerLength <= size;
    if (!isSound) return [name, null] as const;
    const path = quote(`${dir}/${name}`);
    const script = `tail -c +9 ${path} | head -c ${headerLength}`;
    const { stdout } = await host.run({ script }, options);
    return [name, parseShardHeader(stdout, headerLength)] as const;
  }));
  return new Map(headers);
}
