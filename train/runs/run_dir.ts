/**
 * What every run dir has, whoever made it: one writer at a time, a config that stays, a diary of its sessions.
 *
 *     runs/<name>/  config.yaml  run.json  lock  …what its kind adds
 */

import { basename, join } from "node:path";
import { resourceUsage } from "node:process";
import { formatConfig } from "../config/config.ts";
import type { AnyMetrics } from "./metrics.ts";
import type { RunInfo } from "./run_info.ts";
import { makeRunDir, RunJournal, type SessionEnd } from "./run_journal.ts";
import type { RunKind } from "./run_kind.ts";
import { takeLock } from "./run_lock.ts";
import { readRunOf, type RunRecord } from "./run_reader.ts";
import { attempt, writeFileAtomic } from "./storage.ts";

/** A run dir that is locked, to be held by a {@linkcode RunDir}. */
export interface LockedRun<C> {
  readonly path: string;
  readonly config: C;
  readonly journal: RunJournal;
  readonly lock: Deno.FsFile;
}

/** A run that is being written. Held by `await using`. */
export class RunDir<C> implements AsyncDisposable {
  /** `runs/a1`. */
  readonly path: string;
  readonly config: C;
  readonly #journal: RunJournal;
  /** What is let go of with the run, the last first. */
  protected readonly held: DisposableStack = new DisposableStack();

  /** Takes over the lock. */
  constructor({ path, config, journal, lock }: LockedRun<C>) {
    this.path = path;
    this.config = config;
    this.#journal = journal;
    this.held.defer(() => lock.close());
  }

  /** `a1`. */
  get name(): string {
    return basename(this.path);
  }

  get info(): RunInfo {
    return this.#journal.info;
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
      const said = { ...result } as Record<string, unknown>;
      await this.end({ outcome, result: said, ...processUsage() });
      return { outcome, result };
    } catch (error) {
      const outcome = signal?.aborted ? "interrupted" : "failed";
      // What broke is what the reader must see, even if the disk takes no more notes.
      await this.end({ outcome, ...processUsage() }).catch(() => {});
      throw error;
    }
  }

  /** Begins a session of another program: notes it in `run.json`. */
  begin(now: Date): Promise<void> {
    return this.#journal.begin(now);
  }

  /** Ends the session. */
  end(how: SessionEnd): Promise<void> {
    return this.#journal.end(how);
  }

  /** Writes a text file of the run: a figure, a tokenizer. */
  async writeText(name: string, text: string): Promise<void> {
    const path = join(this.path, name);
    await this.attempt(
      `write "${path}"`,
      name,
      () => writeFileAtomic(path, text),
    );
  }

  /** Lets go of the directory; once more is no harm. */
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
    const path = join(this.path, name);
    return await attempt({ doing, path, afterwards: this.wayOn }, action);
  }

  /** How to go on with a run that stopped. */
  protected get wayOn(): string {
    return `continue with "deno task ${this.info.kind} --resume ${this.path}"`;
  }
}

/** What a new run begins with. */
export interface NewRun<C> {
  readonly config: C;
  readonly info: RunInfo;
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
    await makeRunDir(path);
    for (const folder of folders) await Deno.mkdir(join(path, folder));
    return await locked(path, async (lock) => {
      await writeFileAtomic(join(path, "config.yaml"), formatConfig(config));
      const journal = await RunJournal.create(path, info);
      return hold({ path, config, journal, lock });
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
      const { config, info } = record;
      const journal = new RunJournal(path, info);
      return await hold({ path, config, journal, lock }, record);
    });
  });
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
  action: (lock: Deno.FsFile) => Promise<D>,
): Promise<D> {
  const lock = await takeLock(path);
  try {
    return await action(lock);
  } catch (error) {
    lock.close();
    throw error;
  }
}
