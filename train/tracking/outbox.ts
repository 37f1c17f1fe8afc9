/**
 * An outbox sends a run's points to one tracker in the background, so the run never waits for the tracker. Unsent
 * points stay in the run's journal, so if the tracker is unreachable, no points are lost and no extra memory is used.
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

/** The points of a run, in order. New points are appended. */
export interface Journal {
  readonly length: number;
  at(index: number): Point;
}

/** The state of a tracker, as stored in `tracking.json`. */
export interface Sent {
  /** The number of points sent so far. */
  readonly points: number;
  /** The {@linkcode OpenTracker.place} with which the tracker reopens the run. */
  readonly place: Readonly<Record<string, string>>;
}

/** The result of a tracker in a session. */
export interface TrackerReport {
  readonly name: TrackerName;
  /** The tracker's link to the run; `null` if the tracker was never reached. */
  readonly link: string | null;
  /** The number of points in the journal that have been sent. */
  readonly sent: number;
  /** The total number of points in the journal. */
  readonly points: number;
  /** The number of failed attempts. */
  readonly failures: number;
  /** The message of the last failure; `null` if no attempt failed. */
  readonly failure: string | null;
  /** Whether the tracker has received all points and the end of the session. */
  readonly isWhole: boolean;
}

/** Options for {@linkcode Outbox}. */
export interface OutboxOptions {
  readonly run: TrackedRun;
  readonly journal: Journal;
  /** The state of the tracker after an earlier session. */
  readonly before?: Sent | undefined;
  /** Called when the tracker has registered the run, and after each batch of points that was sent. */
  readonly onSent: (tracker: OpenTracker) => void;
  /** The first backoff. Default: 1 second. */
  readonly backoffMs?: number;
  /** The longest backoff. Default: 60 seconds. */
  readonly maxBackoffMs?: number;
}

/** The maximum number of points per call of {@linkcode OpenTracker.send}. */
const BATCH = 50;

/** The number of retries after the end of the session. */
const LAST_RETRIES = 3;
/** The longest backoff after the end of the session, in milliseconds. */
const LAST_WAIT_MS = 500;

/** The outbox of one tracker of {@linkcode Tracking}. */
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

  /** Signals that the journal has grown. */
  wake(): void {
    this.#wake.resolve();
  }

  /** The state of the tracker; `undefined` if it was never reached. */
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

  /** Sends the remaining points and the end of the session, for at most `timeoutMs`. */
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
      } else if (this.#end === undefined) await this.#idle(open);
      else break;
    }
    const end = this.#end;
    await this.#insist((options) => open.end(end, options));
    this.#isWhole = true;
  }

  /** Waits until there may be something to send. If a keep-alive request is due before that, sends it. */
  async #idle({ keepAlive }: OpenTracker): Promise<void> {
    if (keepAlive === undefined) return await this.#wake.promise;
    const timer = new AbortController();
    const isSilent = await Promise.race([
      this.#wake.promise.then(() => false),
      sleep(keepAlive.everyMs, timer).then(() => true, () => false),
    ]);
    timer.abort();
    if (isSilent) await this.#insist((options) => keepAlive.call(options));
  }

  /**
   * Retries an action until it succeeds, the tracker rejects it, or, after the end of the session, the retries or the
   * time run out.
   */
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
