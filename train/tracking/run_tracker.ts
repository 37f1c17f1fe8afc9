/** The interface of trackers: programs that receive a run's figures as it progresses, and display them. */

import { BoundaryError, type BoundaryErrorOptions } from "../../env/errors.ts";
import type { CallOptions } from "../../env/types.ts";
import type { TrackerName } from "./tracking_schema.ts";

/** Figures of a run at one step. */
export interface Point {
  /** The point's position on the horizontal axis: a step, or a number of episodes. */
  readonly step: number;
  readonly timeMs: number;
  /** The values, keyed by names such as `rl/reward` and `eval/test/greedy/pass1`; all are finite. */
  readonly values: ReadonlyMap<string, number>;
}

/** A table; each row is in the order of the columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** The description of a run, sent before its points. */
export interface TrackedRun {
  readonly name: string;
  /** The run dir. */
  readonly path: string;
  readonly kind: "train" | "evaluate";
  readonly project: string;
  readonly startedAtMs: number;
  readonly seed: number;
  readonly version: string;
  readonly commit: string | null;
  readonly config: object;
}

/** The end of a session of a run. */
export interface RunEnd {
  readonly outcome: "completed" | "interrupted" | "failed";
  readonly timeMs: number;
  /** The step of the last point; 0 if there are no points. */
  readonly step: number;
  /** The run's last episodes. */
  readonly episodes: Table;
}

/** A tracker that has registered the run. */
export interface OpenTracker {
  /** A URL that shows the run, or a command that shows or uploads it. */
  readonly link: string;
  /** The state from which {@linkcode Tracker.open} continues if the run is resumed. */
  readonly place: Readonly<Record<string, string>>;
  /** Sends points in order. If it throws, some of the points may have been sent. */
  send(points: readonly Point[], options: CallOptions): Promise<void>;
  /** Called if no points were sent for `everyMs`. Only needed for trackers that consider a silent run dead. */
  readonly keepAlive?: {
    readonly everyMs: number;
    call(options: CallOptions): Promise<void>;
  };
  /** Ends the session. */
  end(end: RunEnd, options: CallOptions): Promise<void>;
}

/** A tracker that has not registered the run yet. */
export interface Tracker {
  readonly name: TrackerName;
  /** Whether each session sends all points of the run again. */
  readonly startsOver: boolean;
  /**
   * Registers the run.
   * @param options.before The `place` of an earlier session of the run.
   * @throws {TrackerError} If the tracker does not answer or rejects the run.
   */
  open(
    run: TrackedRun,
    options: CallOptions & {
      readonly before?: Readonly<Record<string, string>> | undefined;
    },
  ): Promise<OpenTracker>;
}

/**
 * Thrown if a tracker is unreachable or rejects a request. It does not affect the run: the error is counted, and
 * reported at the end.
 */
export class TrackerError extends BoundaryError {
  override readonly name = "TrackerError";
  /** Whether a retry may succeed. */
  readonly isPassing: boolean;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly isPassing: boolean },
  ) {
    super(message, options);
    this.isPassing = options.isPassing;
  }
}
