/**
 * Sends a run's points to one tracker, behind the run's back: nothing here is waited for while it works. What is not
 * sent yet stays where it is, in the run's own journal, so that a tracker that is down takes neither memory nor points.
 */

import { messageOf } from "../../env/errors.ts";
import { retry, sleep } from "../../env/retry.ts";
import {
  type OpenTracker,
  type Point,
  type RunEnd,
  type TrackedRun,
  type Tracker,
  TrackerError,
} from "./run_tracker.ts";
import type { TrackerName } from "./tracking_schema.ts";

/** A run's points in order; grows at its end. */
export interface Journal {
  readonly length: number;
  at(index: number): Point;
}

/** What of a run a tracker has, as `tracking.json` keeps it. */
export interface Sent {
  /** Points, from the first on. */
  readonly points: number;
  readonly place: Readonly<Record<string, string>>;
}

/** What came of a tracker in a session. */
export interface TrackerReport {
  readonly name: TrackerName;
  /** `null` where it was never reached. */
  readonly link: string | null;
  /** Points that it has, and all there are. */
  readonly sent: number;
  readonly points: number;
  /** Attempts that failed, and what the last of them said. */
  readonly failures: number;
  readonly failure: string | null;
  /** Whether it has everything, and was told of the end. */
  readonly isWhole: boolean;
}

/** Settings of {@linkcode Outbox}. */
export interface OutboxOptions {
  readonly run: TrackedRun;
  readonly journal: Journal;
  /** What an earlier session has sent. */
  readonly before?: Sent | undefined;
  /** Called once the tracker has the run, and now and then with what it has. */
  readonly onSent: (tracker: OpenTracker) => void;
  /** First and longest wait after a failure. Default: 1 and 60 seconds. */
  readonly backoffMs?: number;
  readonly maxBackoffMs?: number;
}

/** The most points of one request. */
const BATCH = 50;

/** Once the run has ended: retries that are left, and the longest wait before one. */
const LAST_RETRIES = 3;
const LAST_WAIT_MS = 500;

/** One tracker's part of {@linkcode Tracking}. */
export class Outbox {
  readonly name: TrackerName;
  readonly #tracker: Tracker;
  readonly #options: OutboxOptions;
  readonly #stop = new AbortController();
  readonly #work: Promise<void>;
  #open: OpenTracker | undefined;
  #sent: number;
  #end: RunEnd | undefined;
  #wake = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<void>();
  #retriesLeft = Infinity;
  #failures = 0;
  #failure: string | null = null;
  #isWhole = false;

  constructor(tracker: Tracker, options: OutboxOptions) {
    const { before, journal } = options;
    this.name = tracker.name;
    this.#tracker = tracker;
    this.#options = options;
    this.#sent = tracker.startsOver
      ? 0
      : Math.min(before?.points ?? 0, journal.length);
    this.#work = this.#run().catch((error) => this.#note(error));
  }

  /** Says that the journal has grown. */
  wake(): void {
    this.#wake.resolve();
  }

  /** What the tracker has; `undefined` where it was never reached. */
  get sent(): Sent | undefined {
    const place = this.#open?.place;
    return place === undefined ? undefined : { points: this.#sent, place };
  }

  get report(): TrackerReport {
    return {
      name: this.name,
      link: this.#open?.link ?? null,
      sent: this.#sent,
      points: this.#options.journal.length,
      failures: this.#failures,
      failure: this.#failure,
      isWhole: this.#isWhole,
    };
  }

  /** Sends what is left and the end, and gives up after `timeoutMs`. */
  async close(
    end: RunEnd,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<void> {
    this.#end = end;
    this.#retriesLeft = LAST_RETRIES;
    this.#ending.resolve();
    this.wake();
    const timer = setTimeout(() => this.#stop.abort(), timeoutMs);
    await this.#work;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { run, before, journal } = this.#options;
    const open = await this.#insist((options) =>
      this.#tracker.open(run, { ...options, before: before?.place })
    );
    this.#open = open;
    this.#options.onSent(open);
    while (true) {
      this.#wake = Promise.withResolvers();
      const points = pointsFrom(journal, this.#sent);
      if (points.length > 0) {
        await this.#insist((options) => open.send(points, options));
        this.#sent += points.length;
        this.#options.onSent(open);
      } else if (this.#end === undefined) await this.#wake.promise;
      else break;
    }
    const end = this.#end;
    await this.#insist((options) => open.end(end, options));
    this.#isWhole = true;
  }

  /** Attempts something until it succeeds, is refused, or the outbox is closed. */
  async #insist<T>(
    attempt: (options: { readonly signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { backoffMs = 1000, maxBackoffMs = 60_000 } = this.#options;
    const { signal } = this.#stop;
    return await retry(() => attempt({ signal }), {
      backoffMs,
      maxBackoffMs,
      signal,
      isRetried: (error) =>
        !(error instanceof TrackerError && !error.isPassing) &&
        this.#retriesLeft > 0,
      onRetry: ({ error }) => this.#note(error),
      sleep: async (ms, options) => {
        if (this.#end === undefined) {
          await Promise.race([sleep(ms, options), this.#ending.promise]);
        } else await sleep(Math.min(ms, LAST_WAIT_MS), options);
        this.#retriesLeft--;
      },
    });
  }

  #note(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#failures++;
    this.#failure = messageOf(error);
  }
}

function pointsFrom(journal: Journal, first: number): Point[] {
  const length = Math.min(journal.length - first, BATCH);
  return Array.from({ length }, (_, i) => journal.at(first + i));
}
