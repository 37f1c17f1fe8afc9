/** The diary of a run in its `run.json`: when it was worked on, and how that ended. */

import { basename, dirname, join } from "node:path";
import { ConfigError } from "../../env/errors.ts";
import type { Outcome, RunInfo } from "./run_info.ts";
import { attempt, writeFileAtomic } from "./storage.ts";

/** How a session ended. */
export interface SessionEnd {
  readonly outcome: Exclude<Outcome, "running">;
  readonly now: Date;
  readonly wallS: number;
  /** `null` where another program did the work. */
  readonly peakRssBytes: number | null;
  readonly result?: Record<string, unknown>;
}

/** The diary; one writer. */
export class RunJournal {
  readonly #path: string;
  #info: RunInfo;

  /** @param path The run dir. @param info As it is on disk. */
  constructor(path: string, info: RunInfo) {
    this.#path = path;
    this.#info = info;
  }

  /** Begins the diary of a new run. @throws {RunDirError} If it cannot be written. */
  static async create(path: string, info: RunInfo): Promise<RunJournal> {
    const journal = new RunJournal(path, info);
    await journal.#write(info);
    return journal;
  }

  get info(): RunInfo {
    return this.#info;
  }

  /** Begins a session. */
  async begin(now: Date): Promise<void> {
    const session = {
      startedAt: now.toISOString(),
      endedAt: null,
      outcome: "running" as const,
      wallS: null,
      peakRssBytes: null,
    };
    const sessions = [...this.#info.sessions, session];
    await this.#write({ ...this.#info, outcome: "running", sessions });
  }

  /** Ends the session. */
  async end(how: SessionEnd): Promise<void> {
    const endedAt = how.now.toISOString();
    const { outcome, wallS, peakRssBytes, result = null } = how;
    const sessions = this.#info.sessions.with(-1, {
      ...this.#info.sessions.at(-1)!,
      endedAt,
      outcome,
      wallS,
      peakRssBytes,
    });
    await this.#write({ ...this.#info, endedAt, outcome, sessions, result });
  }

  async #write(info: RunInfo): Promise<void> {
    const path = join(this.#path, "run.json");
    const what = {
      doing: "write run.json",
      path,
      afterwards: `resume "${this.#path}"`,
    };
    const text = `${JSON.stringify(info, null, 2)}\n`;
    await attempt(what, () => writeFileAtomic(path, text));
    this.#info = info;
  }
}

/**
 * Makes the directory of a new run.
 * @throws {ConfigError} If it is there already; making it tells, even if two processes try at once.
 */
export async function makeRunDir(path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new ConfigError(
      `The run "${path}" is there already`,
      {
        cause: error,
        hint: `continue it by --resume ${
          basename(path)
        }, or choose another --name`,
      },
    );
  }
}
