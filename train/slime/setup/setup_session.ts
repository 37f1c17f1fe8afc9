/** A host while it is set up: its shells, its lock, and what was made on it. */

import { HostError } from "../../../env/errors.ts";
import { poll, type Sleep } from "../../../env/retry.ts";
import type { HostShells } from "../hosts/host_shells.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import {
  type Entry,
  formatManifest,
  type Manifest,
  parseManifest,
} from "./manifest.ts";
import type { HostPlan } from "./setup_plan.ts";
import { pathWord } from "./step.ts";

/** What a session is opened with. */
export interface SessionOptions {
  readonly plan: HostPlan;
  /** Names this run, for hosts that share a directory: they wait for each other, not for strangers. */
  readonly run: string;
  readonly signal: AbortSignal;
  readonly sleep?: Sleep | undefined;
  /** Another host of this run has the lock. */
  onWait?(): void;
}

/** A host that only this run sets up. */
export interface Session extends AsyncDisposable {
  readonly manifest: Manifest;
  save(manifest: Manifest): Promise<void>;
}

/**
 * Takes the host's lock and reads its manifest. The lock is the kernel's: a command there holds it and ends with
 * this program, however that ends, so a stale one cannot be.
 * @throws {HostError} If another run holds it, or the host's directory cannot be written.
 */
export async function openSession(
  shells: HostShells,
  options: SessionOptions,
): Promise<Session> {
  const { plan: { dir, name }, signal } = options;
  const lock = await takeLock(shells.host, options);
  const file = pathWord(`${dir}/${manifestName(name)}`);
  try {
    const manifest = await readManifest(shells.host, { dir, name, signal });
    return new HostSession(shells.host, { file, manifest, lock });
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads what was made on a host. @throws {DataError} If it is not ours. */
export async function readManifest(
  shell: Shell,
  { dir, name, signal }: {
    readonly dir: string;
    readonly name: string;
    readonly signal: AbortSignal;
  },
): Promise<Manifest> {
  const path = `${dir}/${manifestName(name)}`;
  const { stdout } = await shell.run(
    { script: `cat ${pathWord(path)} 2>/dev/null || :` },
    { signal },
  );
  return parseManifest(stdout, `${path} on ${name}`);
}

/** Hosts that share a home have a manifest each: containers and images are not shared. */
function manifestName(host: string): string {
  return `setup-${host.replaceAll(" ", "-")}.json`;
}

class HostSession implements Session {
  manifest: Manifest;
  readonly #shell: Shell;
  readonly #file: string;
  readonly #lock: AsyncDisposable;

  constructor(
    shell: Shell,
    { file, manifest, lock }: {
      file: string;
      manifest: Manifest;
      lock: AsyncDisposable;
    },
  ) {
    this.#shell = shell;
    this.#file = file;
    this.#lock = lock;
    this.manifest = manifest;
  }

  /** Whole or not at all; the last entry's going takes the file along. */
  async save(manifest: readonly Entry[]): Promise<void> {
    const { code, stderr } = await this.#shell.run(
      manifest.length === 0 ? { script: `rm -f ${this.#file}` } : {
        script:
          `cat >${this.#file}.partial && mv ${this.#file}.partial ${this.#file}`,
        stdin: formatManifest(manifest),
      },
    );
    if (code !== 0) {
      throw new HostError(
        `${this.#shell.name}: cannot write what was made: ${stderr.trim()}`,
      );
    }
    this.manifest = manifest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock[Symbol.asyncDispose]();
  }
}

const WAIT_MS = 1_000;

/** Who has the lock says so a moment later: until then nobody's name stands there, or that of who had it before. */
const LOOKS = 3;

async function takeLock(
  shell: Shell,
  options: SessionOptions,
): Promise<AsyncDisposable> {
  let strangers = 0;
  return await poll(async () => {
    const result = await tryLock(shell, options);
    if (typeof result !== "string") return result;
    const isOurs = result.startsWith(`${options.run} `);
    if (!isOurs && ++strangers >= LOOKS) {
      throw new HostError(
        `${options.plan.name}: another set-up is at work there (${result})`,
        { hint: "wait for it, or stop it by Ctrl-C where it runs" },
      );
    }
    if (isOurs) options.onWait?.();
    return undefined;
  }, { everyMs: WAIT_MS, signal: options.signal, sleep: options.sleep });
}

/** @returns The lock, or who holds it. */
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
    await holding.catch(() => {}); // aborted by ourselves
  };
  try {
    signal.throwIfAborted();
    const ended = await Promise.race([taken.promise, holding]);
    if (ended === undefined) return { [Symbol.asyncDispose]: dispose };
    const held = /^held (.*)$/m.exec(ended.stdout)?.[1];
    await dispose();
    if (held !== undefined) return held;
    throw new HostError(
      `${shell.name}: cannot lock ${plan.dir}: ${ended.stderr.trim()}`,
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
command -v flock >/dev/null || { echo 'flock is not there; install util-linux' >&2; exit 1; }
exec 9>>"$d/setup.lock" || exit 1
flock -n 9 || { echo "held $(cat "$d/setup.lock")"; exit 0; }
echo ${quote(run)} "process $$ since $(date)" >"$d/setup.lock"
echo locked
exec sleep 2147483647`;
}
