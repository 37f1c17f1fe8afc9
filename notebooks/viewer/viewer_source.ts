/** Defines the common interface of the sources that the viewer can show: run dirs and result files. */

import {
  ConfigError,
  DataError,
  messageOf,
  RunDirError,
} from "../../env/errors.ts";
import type { Advisory } from "../../train/diagnosis/advisories.ts";
import type { EpisodeIndex } from "./episode_index.ts";
import { FilterError } from "./page/filter.js";
import type {
  EpisodeView,
  RunSummary,
  RunView,
  StepTimeline,
  TaskTable,
  TokensView,
  ViewerProblem,
} from "./protocol.ts";

/** A run dir or a result file. */
export interface EpisodeSource extends Disposable {
  /** The id of the source in URLs. */
  readonly id: string;
  readonly path: string;
  /** Returns the summary for the list of runs. It never throws. Problems are reported in the summary's `error`. */
  summary(): Promise<RunSummary>;
  /**
   * Returns the run with its config and its curves.
   * @throws {ViewerFault} If the source does not exist, is damaged or is from a newer version.
   */
  view(): Promise<RunView>;
  /**
   * Returns the table of tasks, which shows how often each task was solved.
   * @throws {ViewerFault} If the source cannot be read.
   */
  tasks(): Promise<TaskTable>;
  /**
   * Returns the run's advisories.
   * @throws {ViewerFault} If the source cannot be read.
   */
  advisories(): Promise<readonly Advisory[]>;
  /**
   * Returns the timeline of a training step.
   * @param step The step. Default: the last step with a timeline.
   * @throws {ViewerFault} If the source cannot be read, if there is no such step, or if its times were not recorded.
   */
  timeline(step?: number): Promise<StepTimeline>;
  /**
   * Returns the index of episodes, updated with new episodes.
   * @throws {ViewerFault} If the source cannot be read.
   */
  index(): Promise<EpisodeIndex>;
  /**
   * Returns an episode.
   * @throws {ViewerFault} If the source cannot be read, or if there is no such episode.
   */
  episode(id: number): Promise<EpisodeView>;
  /**
   * Returns the tokens of an episode.
   * @throws {ViewerFault} If the source cannot be read, if there is no such episode, or if it has no tokens.
   */
  tokens(id: number): Promise<TokensView>;
}

/** The summary of a run about which nothing is known. */
export const UNKNOWN_RUN: Omit<RunSummary, "id" | "path"> = {
  kind: "train",
  trainer: null,
  outcome: null,
  data: null,
  world: null,
  agent: null,
  model: null,
  seed: null,
  startedAt: null,
  endedAt: null,
  version: null,
  commit: null,
  steps: null,
  episodes: null,
  pass1: null,
  pass1Of: null,
  reward: null,
  error: null,
};

/** An error that is thrown if the viewer cannot fulfill a request. The page displays the message and remains usable. */
export class ViewerFault extends Error {
  override readonly name = "ViewerFault";
  readonly kind: ViewerProblem["kind"];

  constructor(
    kind: ViewerProblem["kind"],
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
    this.kind = kind;
  }
}

/** Converts any error to the problem that the page displays. */
export function problemOf(error: unknown): ViewerProblem {
  if (error instanceof ViewerFault) {
    return { kind: error.kind, message: error.message };
  }
  const message = messageOf(error);
  if (error instanceof FilterError) return { kind: "filter", message };
  const isOurs = error instanceof RunDirError || error instanceof DataError ||
    error instanceof ConfigError;
  if (isOurs || isDatabaseDamage(error)) return { kind: "damaged", message };
  return { kind: "bug", message };
}

/** Checks whether an error from SQLite means that a file is damaged or is not a database. */
export function isDatabaseDamage(error: unknown): boolean {
  return /not a database|malformed|disk I\/O error|file is encrypted/.test(
    String(error),
  );
}

/** Creates the error for an unknown episode id of a run. */
export function noEpisode(path: string, id: number): ViewerFault {
  return new ViewerFault(
    "unknown",
    `"${path}" has no episode ${id}; the episode may have been removed when the run was resumed`,
  );
}
