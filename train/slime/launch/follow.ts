/** Follows a job's log and state until the job ends, across broken connections and restarts of Ray's dashboard. */

import { messageOf, RayError } from "../../../env/errors.ts";
import { retry, sleep } from "../../../env/retry.ts";
import { readTextIfThere } from "../../runs/storage.ts";
import { explainFailure } from "./job_failure.ts";
import type { JobFailure } from "./job_failure.ts";
import { STALLS } from "./symptoms.ts";
import { JobLog } from "./job_log.ts";
import { plainLine } from "./log_line.ts";
import { isFinal, type RayJob, type RayJobs } from "./ray_jobs.ts";

/** Options for {@linkcode followJob}. */
export interface FollowOptions {
  readonly jobs: RayJobs;
  readonly submissionId: string;
  /** The path of the copy of the log in the run dir. The copy is extended, or created if it does not exist. */
  readonly logPath: string;
  /** Stops following the job when aborted; the job continues to run. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called with the lines of the log in order: first with the lines that the copy already has, then with new lines.
   * Reading continues when the returned promise resolves.
   */
  readonly onLines?: (lines: readonly string[]) => Promise<void> | void;
  /** Called with the job when its state is first known, and whenever the state has changed. */
  readonly onState?: (job: RayJob) => void;
  /** Called with a note for the user, such as that Ray does not respond. */
  readonly onNote?: (text: string) => void;
  /** Called when Ray does not respond. It should throw if Ray will never respond again. Default: does nothing. */
  readonly onSilence?: () => Promise<void>;
  /**
   * The possible reasons why the job prints nothing for a long time, and what to check. Default: those of a training
   * run.
   */
  readonly whyQuiet?: string;
  /** The interval in milliseconds between requests for the state. Default: 3000. */
  readonly pollMs?: number;
  /** The maximum time in milliseconds without a response from Ray before following fails. Default: one hour. */
  readonly patienceMs?: number;
}

/** The result of following a job to its end. */
export interface JobEnd {
  readonly job: RayJob;
  /** The explanation of the failure; `null` unless the job failed. */
  readonly failure: JobFailure | null;
}

const POLL_MS = 3_000;
const PATIENCE_MS = 3_600_000;
const LONGEST_WAIT_MS = 15_000;
/** The interval in milliseconds between reminders that Ray still does not respond. */
const REMIND_MS = 60_000;
/** The time in milliseconds without a new log line after which a note is reported. */
const QUIET_MS = 20 * 60_000;
const LAST_LINES = 4_000;

/**
 * Follows a job to its end.
 * @throws {RayError} If Ray does not respond within `patienceMs`, refuses the request, or does not have the job.
 * @throws The error that {@linkcode FollowOptions.onSilence} throws.
 * @throws The signal's reason, if it is aborted.
 */
export async function followJob(options: FollowOptions): Promise<JobEnd> {
  const pending: string[] = [];
  const recent: string[] = [];
  using log = await JobLog.open(options.logPath, (line) => {
    pending.push(line);
    recent.push(line);
    if (recent.length > 2 * LAST_LINES) recent.splice(0, LAST_LINES);
  });
  const follower = new Follower(options, { log, pending });
  const job = await follower.follow();
  const failure = job.state === "FAILED" ? explainFailure(job, recent) : null;
  return { job, failure };
}

/** Returns the complete lines in the copy of a log; empty if there is no copy. */
export async function readJobLog(path: string): Promise<string[]> {
  const text = await readTextIfThere(path) ?? "";
  return text.split("\n").slice(0, -1);
}

const WHY_QUIET =
  "either a rollout resamples groups whose rewards are all equal, or a process hangs; check the episode servers";

class Follower {
  readonly #options: FollowOptions;
  readonly #log: JobLog;
  readonly #pending: string[];
  readonly #pollMs: number;
  #state: string | undefined;
  #newsMs = performance.now();
  #shownStandstill: string | undefined;
  #isQuietNoted = false;

  constructor(
    options: FollowOptions,
    { log, pending }: { log: JobLog; pending: string[] },
  ) {
    this.#options = options;
    this.#log = log;
    this.#pending = pending;
    this.#pollMs = options.pollMs ?? POLL_MS;
  }

  async follow(): Promise<RayJob> {
    await this.#flush();
    for (;;) {
      const job = await this.#look();
      if (isFinal(job.state)) {
        await this.#rest();
        this.#log.finish();
        await this.#flush();
        return job;
      }
      if (job.state === "RUNNING") await this.#listen();
      await sleep(Math.min(this.#pollMs, 1_000), this.#options);
    }
  }

  /** Requests the job's state until Ray responds. */
  async #look(): Promise<RayJob> {
    const { jobs, submissionId, patienceMs = PATIENCE_MS } = this.#options;
    const { onSilence, signal } = this.#options;
    let remindedMs = -Infinity;
    return await retry(async (retries) => {
      const job = await jobs.job(submissionId, { signal })
        .catch(async (error) => {
          if (isPassing(error)) await onSilence?.();
          throw error;
        });
      if (retries > 0) this.#note("Ray responds again");
      this.#report(job);
      return job;
    }, {
      backoffMs: this.#pollMs,
      maxBackoffMs: LONGEST_WAIT_MS,
      timeoutMs: patienceMs,
      signal,
      isRetried: isPassing,
      onRetry: ({ error }) => {
        const now = performance.now();
        if (now - remindedMs <= REMIND_MS) return;
        remindedMs = now;
        this.#note(
          `${messageOf(error)}. Retrying; the job may still be running`,
        );
      },
    });
  }

  /** Reads the log until its connection closes, the job ends, or Ray stops responding. */
  async #listen(): Promise<void> {
    const { jobs, submissionId, signal } = this.#options;
    const cut = new AbortController();
    const abort = () => cut.abort(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    const watching = this.#watch(cut);
    try {
      signal?.throwIfAborted();
      const reading = this.#log.reading();
      for await (
        const piece of jobs.tail(submissionId, { signal: cut.signal })
      ) {
        if (!await reading.take(piece)) {
          await this.#rest();
          break;
        }
        await this.#flush();
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof RayError) && !cut.signal.aborted) throw error;
    } finally {
      cut.abort();
      signal?.removeEventListener("abort", abort);
      await watching;
    }
  }

  /**
   * Stops reading the log when the job has ended or Ray does not respond, because a dead connection may never report an
   * end.
   */
  async #watch(cut: AbortController): Promise<void> {
    const { jobs, submissionId } = this.#options;
    try {
      for (;;) {
        await sleep(this.#pollMs, { signal: cut.signal });
        const job = await jobs.job(submissionId, { signal: cut.signal });
        this.#report(job);
        this.#watchForQuiet();
        if (isFinal(job.state)) break;
      }
    } catch {
      // Either reading has ended, or Ray does not respond: the next request for the state shows which.
    }
    cut.abort();
  }

  /**
   * Fetches the whole log over REST, and appends what the copy lacks. Used when the job has ended, because the
   * connection may have closed before the end of the log, and when the log does not match the copy.
   */
  async #rest(): Promise<void> {
    const { jobs, submissionId, signal } = this.#options;
    try {
      const text = await jobs.logs(submissionId, { signal });
      if (!await this.#log.takeWhole(text)) {
        this.#note(
          "The job's log does not continue the local copy; all of it is treated as new",
        );
      }
    } catch (error) {
      if (!(error instanceof RayError)) throw error;
      this.#note(`${error.message}. The log read so far is kept`);
    }
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const lines = this.#pending.splice(0);
    if (lines.length === 0) return;
    this.#newsMs = performance.now();
    this.#isQuietNoted = false;
    this.#watchForStall(lines);
    await this.#options.onLines?.(lines);
  }

  #watchForStall(lines: readonly string[]): void {
    const shown = STALLS.find(({ pattern }) => pattern.test(lines.at(-1)!));
    if (shown && this.#shownStandstill !== shown.cause) {
      this.#note(
        `The job is waiting (${
          plainLine(lines.at(-1)!)
        }): ${shown.cause}; ${shown.fix}`,
      );
    }
    this.#shownStandstill = shown?.cause;
  }

  #watchForQuiet(): void {
    const { whyQuiet = WHY_QUIET } = this.#options;
    const quietMs = performance.now() - this.#newsMs;
    if (quietMs < QUIET_MS || this.#isQuietNoted) return;
    this.#isQuietNoted = true;
    this.#note(
      `The job has printed nothing for ${
        Math.round(quietMs / 60_000)
      } minutes: ${whyQuiet}`,
    );
  }

  #report(job: RayJob): void {
    if (job.state === this.#state) return;
    this.#state = job.state;
    this.#options.onState?.(job);
  }

  #note(text: string): void {
    this.#options.onNote?.(text);
  }
}

function isPassing(error: unknown): error is RayError {
  return error instanceof RayError &&
    !["not_found", "refused", "ended"].includes(error.kind);
}
