/** What a tracker is: a program that shows runs, told of one while it works. */

import { BoundaryError, type BoundaryErrorOptions } from "../../env/errors.ts";
import type { CallOptions } from "../../env/types.ts";
import type { TrackerName } from "./tracking_schema.ts";

/** Numbers of one moment of a run. */
export interface Point {
  /** Where it stands on the horizontal axis: a step, or a count of episodes. */
  readonly step: number;
  readonly timeMs: number;
  /** By names such as `rl/reward` or `eval/test/greedy/pass1`; all finite. */
  readonly values: ReadonlyMap<string, number>;
}

/** A table, row by row in the order of the columns. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** What a tracker is told of a run before anything else. */
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

/** How a run, or a session of it, ended. */
export interface RunEnd {
  readonly outcome: "completed" | "interrupted" | "failed";
  readonly timeMs: number;
  /** The last step that was sent. */
  readonly step: number;
  /** The run's last episodes. */
  readonly episodes: Table;
}

/** A tracker that has the run. */
export interface OpenTracker {
  /** Where a person sees the run: a URL, or the command that shows it. */
  readonly link: string;
  /** What {@linkcode Tracker.open} goes on from, when the run is resumed. */
  readonly place: Readonly<Record<string, string>>;
  /** Sends points, in their order; all of them or, where it throws, perhaps some. */
  send(points: readonly Point[], options: CallOptions): Promise<void>;
  /** Ends the session there. */
  end(end: RunEnd, options: CallOptions): Promise<void>;
}

/** A tracker before it has the run. */
export interface Tracker {
  readonly name: TrackerName;
  /** Whether it wants all points of a run again in each session. */
  readonly startsOver: boolean;
  /**
   * Begins the run there.
   * @param options.before The place where an earlier session of the run left off.
   * @throws {TrackerError} If it does not answer, or refuses.
   */
  open(
    run: TrackedRun,
    options: CallOptions & {
      readonly before?: Readonly<Record<string, string>> | undefined;
    },
  ): Promise<OpenTracker>;
}

/** A tracker cannot be reached, or refuses. Costs a run nothing: it is counted and shown at the end. */
export class TrackerError extends BoundaryError {
  override readonly name = "TrackerError";
  /** Whether another attempt may help. */
  readonly isPassing: boolean;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly isPassing: boolean },
  ) {
    super(message, options);
    this.isPassing = options.isPassing;
  }
}
