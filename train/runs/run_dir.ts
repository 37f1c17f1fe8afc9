/**
 * What every run dir has: one writer at a time, its config, a record of its sessions.
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

/** How a session ended. */
export interface SessionEnd {
  readonly outcome: Exclude<Outcome, "running" | "stopped">;
  readonly now: Date;
  readonly wallS: number;
  /** `null` where another program did the work. */
  readonly peakRssBytes: number | null;
  readonly result?: object;
}

/** What a run begins with. */
export interface NewRun<C> {
  readonly config: C;
  readonly info: RunInfo;
}

/** A run dir that is locked, to be held by a {@linkcode RunDir}. */
export interface LockedRun<C> extends NewRun<C> {
  readonly path: string;
  readonly lock: RunLock;
}

/** A run that is being written. Held by `await using`. */
export class RunDir<C> implements AsyncDisposable {
  /** `runs/a1`. */
  readonly path: string;
  #config: C;
  #info: RunInfo;
  /** What is closed with the run, the last first. */
  protected readonly held: DisposableStack = new DisposableStack();

  /** Takes over the lock. */
  constructor({ path, config, info, lock }: LockedRun<C>) {
    this.path = path;
    this.#config = config;
    this.#info = info;
    this.held.defer(() => lock.close());
  }

  /** `a1`. */
  get name(): string {
    return basename(this.path);
  }

  get info(): RunInfo {
    return this.#info;
  }

  /** What it runs by; also what `config.yaml` has. */
  get config(): C {
    return this.#config;
  }

  /** The directory for what other programs print. */
  get logs(): string {
    return join(this.path, "logs");
  }

  /**
   * Works for one session; `run.json` has when it began and how it ended, also where the work throws.
   * @param options.signal Whether it is aborted then tells an interruption from a failure.
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
      // What broke is what the reader must see, even if the disk takes no more notes.
      await this.end({ outcome, ...processUsage() }).catch(() => {});
      throw error;
    }
  }

  /** Writes the config of a resumed run, with what flags changed of it. */
  async reconfigure(config: C & object): Promise<void> {
    await this.writeText("config.yaml", sealedText(formatConfig(config)));
    this.#config = config;
  }

  /** Begins a session of another program: notes it in `run.json`. */
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

  /** Ends the session. */
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

  /** Writes a file of the run: a figure, a tokenizer. */
  async writeText(name: string, text: string | Uint8Array): Promise<void> {
    const path = join(this.path, name);
    await this.attempt(
      `write "${path}"`,
      name,
      () => writeFileAtomic(path, text),
    );
  }

  /** Unlocks the directory; once more is no harm. */
  [Symbol.asyncDispose](): Promise<void> {
    this.held.dispose();
    return Promise.resolve();
  }

  /** Runs an action that writes `name` in the directory; what the system refuses becomes a {@linkcode RunDirError}. */
  protected async attempt<T>(
    doing: string,
    name: string,
    action: () => T | Promise<T>,
  ): Promise<T> {
    return await attempt(this.#attempted(doing, name), action);
  }

  /** As {@linkcode RunDir.attempt}, of an action that does not wait. */
  protected attemptNow<T>(doing: string, name: string, action: () => T): T {
    return attemptNow(this.#attempted(doing, name), action);
  }

  #attempted(doing: string, name: string): Attempt {
    const path = join(this.path, name);
    return { doing, path, afterwards: this.wayOn, isThere: true };
  }

  /** How to go on with a run that stopped. */
  protected get wayOn(): string {
    return `continue with "deno task ${this.info.kind} --resume ${this.path}"`;
  }
}

/**
 * Makes the directory of a new run, with these folders in it.
 * @param hold Makes what holds the run.
 * @throws {ConfigError} If it is there already.
 * @throws {RunDirError} If it cannot be written.
 */
export async function createRunDir<C extends object, D>(
  path: string,
  { config, info, folders = [] }: NewRun<C> & {
    readonly folders?: readonly string[];
  },
  hold: (run: LockedRun<C>) => D,
): Promise<D> {
  const doing = `make the run dir "${path}"`;
  return await attempt({ doing, path, afterwards: "start again" }, async () => {
    await makeDirectory(path);
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
 * Reopens a run of a kind to write in it.
 * @param hold Makes what holds the run, of what is read once nobody else writes.
 * @throws {ConfigError} If there is no such run.
 * @throws {RunDirError} If it is in use, of another version, or damaged.
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

/** Seals the config of a run that an older version made, before its `run.json` is sealed. */
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

/** @throws {ConfigError} If it is there already; making it tells, even if two processes try at once. */
async function makeDirectory(path: string): Promise<void> {
  await folderNames(dirname(path)); // says so where it is a file
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    const isRun = await readTextIfThere(join(path, "run.json")) !== undefined;
    throw new ConfigError(
      isRun
        ? `The run "${path}" is there already`
        : `"${path}" is there already and is no run: it has no run.json`,
      {
        cause: error,
        hint: isRun
          ? `continue it by --resume ${
            basename(path)
          }, or choose another --name`
          : `remove it by: rm -r '${path}'; or choose another --name`,
      },
    );
  }
}

/** What this process took: since it began, so that loading is counted too. */
function processUsage() {
  const peak = Math.max(
    resourceUsage().maxRSS * 1024,
    Deno.memoryUsage().rss,
  );
  return {
    now: new Date(),
    wallS: performance.now() / 1000,
    peakRssBytes: peak,
  };
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
