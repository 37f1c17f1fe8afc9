/**
 * The common features of all run dirs: a lock that admits one writer at a time, a config, and a record of the sessions.
 *
 *     runs/<name>/  config.yaml  run.json  lock  …what its kind adds
 */

import { basename, dirname, join } from "node:path";
import { resourceUsage } from "node:process";
import { ConfigError } from "../../env/errors.ts";
import { formatConfig } from "../config/config.ts";
import type { AnyMetrics } from "./metrics.ts";
import type { Outcome, RunInfo } from "./run_info.ts";
import type { RunKind } from "./run_kind.ts";
import { type RunLock, takeLock } from "./run_lock.ts";
import { readRunOf, refuseDamaged, type RunRecord } from "./run_reader.ts";
import { sealedJson, sealedText, sealOfText } from "./seal.ts";
import {
  type Attempt,
  attempt,
  attemptNow,
  folderNames,
  readTextIfThere,
  writeFileAtomic,
} from "./storage.ts";

/** How and when a session ended. */
export interface SessionEnd {
  readonly outcome: Exclude<Outcome, "running" | "stopped">;
  readonly now: Date;
  readonly wallS: number;
  /** The peak memory of the process in bytes; `null` if another program did the work. */
  readonly peakRssBytes: number | null;
  readonly result?: object;
}

/** The initial contents of a run. */
export interface NewRun<C> {
  readonly config: C;
  readonly info: RunInfo;
}

/** The initial contents of a run, and how its directory is created. */
export interface NewRunDir<C> extends NewRun<C> {
  /** Folders to create in it. Default: none. */
  readonly folders?: readonly string[];
  /**
   * Whether to append `-2`, `-3`, … to the path if it exists, for names that the user did not choose. Default: `false`,
   * in which case an existing path is an error.
   */
  readonly numberIfTaken?: boolean;
}

/** The parts of a locked run dir, from which a {@linkcode RunDir} is constructed. */
export interface LockedRun<C> extends NewRun<C> {
  readonly path: string;
  readonly lock: RunLock;
}

/** A run that is being written. Use it with `await using`. */
export class RunDir<C> implements AsyncDisposable {
  /** The path of the directory: `runs/a1`. */
  readonly path: string;
  #config: C;
  #info: RunInfo;
  /** Resources that are closed with the run, in reverse order. */
  protected readonly held: DisposableStack = new DisposableStack();

  /** Takes ownership of the lock. */
  constructor({ path, config, info, lock }: LockedRun<C>) {
    this.path = path;
    this.#config = config;
    this.#info = info;
    this.held.defer(() => lock.close());
  }

  /** The name of the run, which is the last part of the path: `a1`. */
  get name(): string {
    return basename(this.path);
  }

  get info(): RunInfo {
    return this.#info;
  }

  /** The run's config, as in `config.yaml`. */
  get config(): C {
    return this.#config;
  }

  /** The directory for the output of other programs. */
  get logs(): string {
    return join(this.path, "logs");
  }

  /**
   * Runs a function as one session. `run.json` records when it began and how it ended, even if it throws.
   * @param options.signal If `work` throws after this signal was aborted, the session counts as interrupted, not as
   * failed.
   * @returns The result of `work`, and its outcome: `completed` if `isComplete` is true, `interrupted` otherwise.
   */
  async session<R extends object>(
    work: () => Promise<{ readonly isComplete: boolean; readonly result: R }>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<{ outcome: "completed" | "interrupted"; result: R }> {
    await this.begin(new Date());
    try {
      const { isComplete, result } = await work();
      const outcome = isComplete ? "completed" : "interrupted";
      await this.end({ outcome, result, ...processUsage() });
      return { outcome, result };
    } catch (error) {
      const outcome = signal?.aborted ? "interrupted" : "failed";
      // The caller must see the original error, even if the disk refuses this record.
      await this.end({ outcome, ...processUsage() }).catch(() => {});
      throw error;
    }
  }

  /** Writes the config of a resumed run, with the changes from its flags. */
  async reconfigure(config: C & object): Promise<void> {
    await this.writeText("config.yaml", sealedText(formatConfig(config)));
    this.#config = config;
  }

  /**
   * Begins a session and records it in `run.json`. Call it directly only if another program does the work; otherwise
   * call {@linkcode RunDir.session}.
   */
  async begin(now: Date): Promise<void> {
    const session = {
      startedAt: now.toISOString(),
      endedAt: null,
      outcome: "running" as const,
      wallS: null,
      peakRssBytes: null,
    };
    const sessions = [...this.#info.sessions, session];
    await this.#note({ ...this.#info, outcome: "running", sessions });
  }

  /** Records the end of the current session, and the run's outcome, in `run.json`. */
  async end({ now, result, ...end }: SessionEnd): Promise<void> {
    const endedAt = now.toISOString();
    const { outcome } = end;
    const { sessions } = this.#info;
    await this.#note({
      ...this.#info,
      endedAt,
      outcome,
      sessions: sessions.with(-1, { ...sessions.at(-1)!, endedAt, ...end }),
      result: result === undefined ? null : { ...result },
    });
  }

  async #note(info: RunInfo): Promise<void> {
    await this.attempt(
      "write run.json",
      "run.json",
      () => writeInfo(this.path, info),
    );
    this.#info = info;
  }

  /** Writes a file of the run, such as a figure or a tokenizer. */
  async writeText(name: string, text: string | Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await this.attempt(
      `write "${path}"`,
      name,
      () => writeFileAtomic(path, text),
    );
  }

  /** Closes the run's resources and unlocks the directory. Calling it again has no effect. */
  [Symbol.asyncDispose](): Promise<void> {
    this.held.dispose();
    return Promise.resolve();
  }

  /**
   * Runs an action that writes `name` in the directory. If the system refuses the operation, throws a
   * {@linkcode RunDirError}.
   */
  protected async attempt<T>(
    doing: string,
    name: string,
    action: () => T | Promise<T>,
  ): Promise<T> {
    return await attempt(this.#attempted(doing, name), action);
  }

  /** Runs a synchronous action as {@linkcode RunDir.attempt} does. */
  protected attemptNow<T>(doing: string, name: string, action: () => T): T {
    return attemptNow(this.#attempted(doing, name), action);
  }

  #attempted(doing: string, name: string): Attempt {
    const path = join(this.path, name);
    return { doing, path, afterwards: this.continueHint, isThere: true };
  }

  /** The hint on how to continue a run that stopped. */
  protected get continueHint(): string {
    return `continue with "deno task ${this.info.kind} --resume ${this.path}"`;
  }
}

/**
 * Creates and locks the directory of a new run, and returns the result of `hold`.
 * @param hold Creates the object that owns the locked run.
 * @throws {ConfigError} If it exists already and `numberIfTaken` is false.
 * @throws {RunDirError} If it cannot be written.
 */
export async function createRunDir<C extends object, D>(
  path: string,
  { config, info, folders = [], numberIfTaken = false }: NewRunDir<C>,
  hold: (run: LockedRun<C>) => D,
): Promise<D> {
  const doing = `create the run dir "${path}"`;
  const named = path;
  const what = { doing, path, afterwards: "start again", isNew: true };
  return await attempt(what, async () => {
    const path = await makeDirectory(named, numberIfTaken);
    for (const folder of folders) await Deno.mkdir(join(path, folder));
    return await locked(path, async (lock) => {
      const text = sealedText(formatConfig(config));
      await writeFileAtomic(join(path, "config.yaml"), text);
      await writeInfo(path, info);
      return hold({ path, config, info, lock });
    });
  });
}

/**
 * Reopens and locks a run of the given kind for writing, and returns the result of `hold`.
 * @param hold Creates the object that owns the locked run. `record` is the run's contents, read while holding the lock.
 * @throws {ConfigError} If there is no such run, it is of another kind, or its config is invalid.
 * @throws {RunDirError} If it is in use, damaged or from an incompatible version.
 */
export async function reopenRunDir<C, L extends AnyMetrics, D>(
  path: string,
  kind: RunKind<C, L>,
  hold: (run: LockedRun<C>, record: RunRecord<C, L>) => D | Promise<D>,
): Promise<D> {
  const doing = `open the run "${path}"`;
  return await attempt({ doing, path, afterwards: "try again" }, async () => {
    await readRunOf(path, kind);
    return await locked(path, async (lock) => {
      const record = await readRunOf(path, kind);
      refuseDamaged(record);
      const { config, info } = record;
      await sealConfig(path);
      return await hold({ path, config, info, lock }, record);
    });
  });
}

/** Adds a seal to the config of a run from an older version, before its `run.json` gets one. */
async function sealConfig(path: string): Promise<void> {
  const file = join(path, "config.yaml");
  const text = await Deno.readTextFile(file);
  if (sealOfText(text) === "none") {
    await writeFileAtomic(file, sealedText(text));
  }
}

async function writeInfo(path: string, info: RunInfo): Promise<void> {
  await writeFileAtomic(join(path, "run.json"), `${sealedJson(info, 2)}\n`);
}

/**
 * Creates a directory and returns its path. The creation itself fails if the directory exists, so two processes cannot
 * both succeed.
 * @throws {ConfigError} If it exists already and `numberIfTaken` is false.
 */
async function makeDirectory(
  path: string,
  numberIfTaken: boolean,
): Promise<string> {
  await folderNames(dirname(path)); // throws if the parent is a file
  await Deno.mkdir(dirname(path), { recursive: true });
  for (let number = 1;; number++) {
    const numbered = number === 1 ? path : `${path}-${number}`;
    try {
      await Deno.mkdir(numbered);
      return numbered;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (!numberIfTaken) throw await takenError(path, error);
    }
  }
}

/**
 * Checks that a new run can be created at `path`, before the work of preparing it.
 * @throws {ConfigError} If the path exists already.
 */
export async function refuseTaken(path: string): Promise<void> {
  const isTaken = await Deno.lstat(path).then(() => true, () => false);
  if (isTaken) throw await takenError(path);
}

async function takenError(
  path: string,
  cause?: unknown,
): Promise<ConfigError> {
  const isRun = await readTextIfThere(join(path, "run.json")) !== undefined;
  return new ConfigError(
    isRun
      ? `The run "${path}" already exists`
      : `"${path}" already exists and is not a run: it has no run.json`,
    {
      cause,
      hint: isRun
        ? `continue it with --resume ${
          basename(path)
        }, or choose another --name`
        : `choose another --name, or remove it with: rm -r '${path}'`,
    },
  );
}

/**
 * Returns the current time, and the wall time and peak memory of this process since it started. Both include loading
 * the program.
 */
function processUsage() {
  return {
    now: new Date(),
    wallS: performance.now() / 1000,
    peakRssBytes: peakRssBytes(),
  };
}

/** Returns the peak memory of this process so far, in bytes. */
export function peakRssBytes(): number {
  return Math.max(resourceUsage().maxRSS * 1024, Deno.memoryUsage().rss);
}

async function locked<D>(
  path: string,
  action: (lock: RunLock) => Promise<D>,
): Promise<D> {
  const lock = await takeLock(path);
  try {
    return await action(lock);
  } catch (error) {
    lock.close();
    throw error;
  }
}
