/** Provides exclusive access to one host during setup: its lock and its manifest. */

import { HostError } from "../../../env/errors.ts";
import { poll } from "../../../env/retry.ts";
import type { HostShells } from "../hosts/host_shells.ts";
import { outputOf, pathWord, quote, type Shell } from "../hosts/shell.ts";
import { formatManifest, type Manifest, parseManifest } from "./manifest.ts";
import type { SetupContext } from "./run_setup.ts";
import type { HostPlan } from "./setup_plan.ts";

/** Options for {@linkcode openSession}. */
export interface SessionOptions
  extends Pick<SetupContext, "run" | "signal" | "sleep"> {
  readonly plan: HostPlan;
  /**
   * Called before each wait for the lock, if the same run is still setting up another host that shares this host's
   * directory.
   */
  onWait?(): void;
}

/** A host that is locked for setup. */
export interface Session extends AsyncDisposable {
  readonly manifest: Manifest;
  save(manifest: Manifest): Promise<void>;
}

/**
 * Locks a host and reads its manifest. A command on the host holds a kernel lock. The command ends with this program,
 * even if the program is killed, so the lock cannot become stale.
 * @throws {HostError} If another run holds the lock, the host cannot be reached, or its directory cannot be locked.
 * @throws {DataError} If the manifest is damaged.
 */
export async function openSession(
  { host: shell }: HostShells,
  options: SessionOptions,
): Promise<Session> {
  await using stack = new AsyncDisposableStack();
  stack.use(await takeLock(shell, options));
  const file = pathWord(manifestPath(options.plan));
  const session = {
    manifest: await readManifest(shell, { ...options.plan, ...options }),
    async save(manifest: Manifest): Promise<void> {
      await writeManifest(shell, { file, manifest });
      session.manifest = manifest;
    },
  };
  const lock = stack.move();
  return Object.assign(session, {
    [Symbol.asyncDispose]: () => lock.disposeAsync(),
  });
}

/**
 * Reads the manifest of a host. Returns an empty manifest if the file is missing.
 * @throws {DataError} If the file is not a manifest that this version of setup can read.
 * @throws {HostError} If the host cannot be reached, or the file cannot be read.
 */
export async function readManifest(
  shell: Shell,
  { dir, name, signal }: {
    readonly dir: string;
    readonly name: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Manifest> {
  const path = manifestPath({ dir, name });
  const file = pathWord(path);
  const text = await outputOf(shell, {
    script: `[ ! -e ${file} ] || cat ${file}`,
    what: `Cannot read the manifest of ${name}`,
    hint: "make the file readable",
    signal,
  });
  return parseManifest(text, `${path} on ${name}`);
}

/**
 * Returns the path of a host's manifest. Hosts that share a home directory have separate manifests, because their
 * containers and images are separate.
 */
function manifestPath({ dir, name }: Pick<HostPlan, "dir" | "name">): string {
  return `${dir}/setup-${name.replaceAll(" ", "-")}.json`;
}

/** Writes the manifest completely or not at all. The file of an empty manifest is removed. */
async function writeManifest(
  shell: Shell,
  { file, manifest }: { file: string; manifest: Manifest },
): Promise<void> {
  const isEmpty = manifest.entries.length === 0 && manifest.place === undefined;
  const command = isEmpty ? { script: `rm -f ${file}` } : {
    script: `cat >${file}.partial && mv ${file}.partial ${file}`,
    stdin: formatManifest(manifest),
  };
  const what = `${shell.name}: cannot write the manifest`;
  await outputOf(shell, { ...command, what });
}

const WAIT_MS = 1_000;

/**
 * The number of attempts to read the description of the lock's holder. A holder writes its description after it has
 * acquired the lock, so the first attempts may read an older description.
 */
const READ_ATTEMPTS = 3;

async function takeLock(
  shell: Shell,
  options: SessionOptions,
): Promise<AsyncDisposable> {
  let strangers = 0;
  return await poll(async () => {
    const result = await tryLock(shell, options);
    if (typeof result !== "string") return result;
    const isOurs = result.startsWith(`${options.run} `);
    if (!isOurs && ++strangers >= READ_ATTEMPTS) {
      throw new HostError(
        `${options.plan.name}: another setup is running on this host${
          result === "" ? "" : ` (${result})`
        }`,
        { hint: "wait for the other setup, or stop it with Ctrl-C" },
      );
    }
    if (isOurs) options.onWait?.();
    return undefined;
  }, { everyMs: WAIT_MS, signal: options.signal, sleep: options.sleep });
}

/**
 * Tries to lock a host.
 * @returns The lock, or a description of its holder.
 */
async function tryLock(
  shell: Shell,
  { plan, run, signal }: SessionOptions,
): Promise<AsyncDisposable | string> {
  const letGo = new AbortController();
  const taken = Promise.withResolvers<void>();
  const holding = shell.run({ script: lockScript(plan, run) }, {
    signal: letGo.signal,
    onLine: (line) => line === "locked" && taken.resolve(),
  });
  const cancel = () => taken.reject(signal.reason);
  signal.addEventListener("abort", cancel, { once: true });
  const dispose = async () => {
    signal.removeEventListener("abort", cancel);
    letGo.abort();
    await holding.catch(() => {}); // it was aborted above
  };
  try {
    signal.throwIfAborted();
    const ended = await Promise.race([taken.promise, holding]);
    if (ended === undefined) return { [Symbol.asyncDispose]: dispose };
    const held = /^held (.*)$/m.exec(ended.stdout)?.[1];
    await dispose();
    if (held !== undefined) return held;
    throw new HostError(
      `${shell.name}: cannot lock ${plan.dir}: ${
        ended.stderr.trim() || `exit status ${ended.code}`
      }`,
    );
  } catch (error) {
    taken.promise.catch(() => {});
    await dispose();
    throw error;
  }
}

function lockScript({ dir }: HostPlan, run: string): string {
  return `d=${pathWord(dir)}
mkdir -p "$d" || exit 1
command -v flock >/dev/null || { echo 'flock is not installed; install util-linux' >&2; exit 1; }
exec 9>>"$d/setup.lock" || exit 1
flock -n 9 || { echo "held $(cat "$d/setup.lock")"; exit 0; }
echo ${quote(run)} "process $$ since $(date)" >"$d/setup.lock"
echo locked
exec sleep 2147483647`;
}
