/** Fetches the episodes that servers on other hosts have stored, and merges them into the run dir. */

import { Buffer } from "node:buffer";
import { join } from "node:path";
import { join as joinPosix } from "node:path/posix";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { DataError, HostError, messageOf } from "../../../env/errors.ts";
import type { ServiceRecord } from "../bridge/server_process.ts";
import { THIS_MACHINE } from "../hosts/local_shell.ts";
import { outputOf, quote, quoteWords, type Shell } from "../hosts/shell.ts";
import type { Fleet } from "./fleet.ts";
import { directoryOn } from "./server_hosts.ts";
import type { SlimeRun } from "./slime_run.ts";

const EPISODES = "episodes.db";
/** The size of a chunk in MiB. Files are copied in chunks because a command's output is held in memory. */
const CHUNK_MIB = 4;

/**
 * Copies the databases of the other hosts that ran a run's servers, merges the copies, and replaces the database in the
 * run dir with the result. A database that cannot be copied is reported to `onNote`. If none can be copied, the run dir
 * is not changed.
 */
export async function collectEpisodes(
  run: SlimeRun,
  { fleet, records, onNote }: {
    readonly fleet: Fleet;
    readonly records: readonly ServiceRecord[];
    readonly onNote?: ((text: string) => void) | undefined;
  },
): Promise<void> {
  const hosts = [...new Set(records.map(({ host }) => host))]
    .filter((host) => host !== THIS_MACHINE);
  const from = joinPosix(directoryOn(run), EPISODES);
  const { python } = run.config.paths;
  const brought: string[] = [];
  for (const host of hosts) {
    const to = join(run.path, `${EPISODES}.${host}`);
    try {
      const shell = fleet.shellOf(host);
      if (await copyDatabase(shell, { python, from, to })) brought.push(to);
    } catch (error) {
      if (!(error instanceof HostError || error instanceof DataError)) {
        throw error;
      }
      onNote?.(
        `Cannot copy the episodes from ${host}; they are still there, in ${from}: ${
          messageOf(error)
        }`,
      );
    }
  }
  const [first, ...others] = brought;
  if (first === undefined) return;
  for (const other of others) {
    merge(first, other);
    await Deno.remove(other);
  }
  await Deno.rename(first, join(run.path, EPISODES));
}

/**
 * Makes a consistent copy of a database on a host, even while other processes write to it, and fetches the copy to this
 * machine.
 * @returns Whether the host has the database.
 * @throws {HostError} If the host cannot be reached or cannot copy it.
 * @throws {DataError} If only a part of the copy arrives.
 */
export async function copyDatabase(
  shell: Shell,
  { python, from, to }: {
    readonly python: string;
    readonly from: string;
    readonly to: string;
  },
): Promise<boolean> {
  const copy = `${from}.copy`;
  const what = `Cannot copy "${from}" on ${shell.name}`;
  const script = quoteWords([python, "-B", "-", from, copy]);
  const said = await outputOf(shell, { script, stdin: BACKUP, what });
  const size = Number(said);
  if (size === 0) return false;
  using file = await Deno.open(to, {
    write: true,
    create: true,
    truncate: true,
  });
  const writer = file.writable.getWriter();
  let done = 0;
  for (let index = 0; done < size; index++) {
    const script = `dd if=${quote(copy)} bs=1048576 skip=${
      index * CHUNK_MIB
    } count=${CHUNK_MIB} 2>/dev/null | gzip -c | base64`;
    const text = await outputOf(shell, { script, what });
    const bytes = new Uint8Array(gunzipSync(Buffer.from(text, "base64")));
    if (bytes.length === 0) break;
    await writer.write(bytes);
    done += bytes.length;
  }
  await writer.close();
  await shell.run({ script: `rm -f ${quote(copy)}` });
  if (done === size) return true;
  throw new DataError(`${what}: received ${done} of ${size} bytes`, {
    path: to,
  });
}

/**
 * A Python program that makes a consistent copy of a database and prints the size of the copy, or 0 if there is no
 * database.
 */
const BACKUP = `import os, sqlite3, sys
source, target = sys.argv[1:]
if not os.path.exists(source):
    print(0)
    sys.exit()
if os.path.exists(target):
    os.remove(target)
here, there = sqlite3.connect(source), sqlite3.connect(target)
here.backup(there)
there.execute("PRAGMA journal_mode = DELETE")
there.close()
print(os.path.getsize(target))`;

/**
 * Adds all episodes of the database `from` to the database `into`, under new ids. Both databases have the same columns,
 * because the same version of taulab wrote them. SQLite's ATTACH is not used, because it would need all permissions.
 */
function merge(into: string, from: string): void {
  using db = new DatabaseSync(into);
  using other = new DatabaseSync(from);
  const names = db.prepare("PRAGMA table_info(episodes)").all()
    .map(({ name }) => String(name)).filter((name) => name !== "id");
  const columns = names.map((name) => `"${name}"`).join(", ");
  const marks = names.map(() => "?").join(", ");
  const insert = db.prepare(
    `INSERT INTO episodes (${columns}) VALUES (${marks})`,
  );
  const rows = other.prepare(`SELECT ${columns} FROM episodes ORDER BY id`);
  db.exec("BEGIN");
  for (const row of rows.iterate()) {
    insert.run(...names.map((name) => row[name] ?? null));
  }
  db.exec("COMMIT");
}
