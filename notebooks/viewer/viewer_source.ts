/** What the viewer can show: a run dir, or a result file. One interface over both. */

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

/** Something with episodes. */
export interface EpisodeSource extends Disposable {
  /** Names it in URLs. */
  readonly id: string;
  readonly path: string;
  /** What the list shows; never throws: what is wrong is in `error`. */
  summary(): Promise<RunSummary>;
  /** @throws {ViewerFault} If it is gone, damaged or of a newer version. */
  view(): Promise<RunView>;
  /** How often each task was solved, to be compared. @throws {ViewerFault} As for `view`. */
  tasks(): Promise<TaskTable>;
  /** What a person should look at. @throws {ViewerFault} As for `view`. */
  advisories(): Promise<readonly Advisory[]>;
  /**
   * A training step over time. @param step Default: the last.
   * @throws {ViewerFault} As for `view`, and if there is no such step, or its times are not known.
   */
  timeline(step?: number): Promise<StepTimeline>;
  /** The table, with what is there by now. @throws {ViewerFault} As for `view`. */
  index(): Promise<EpisodeIndex>;
  /** @throws {ViewerFault} As for `view`, and if there is no such episode. */
  episode(id: number): Promise<EpisodeView>;
  /** @throws {ViewerFault} As for `episode`. */
  tokens(id: number): Promise<TokensView>;
}

/** A run of which nothing is known yet. */
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

/** Why something cannot be shown; the page says so and lives on. */
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

/** Any error as the page is told of it. */
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

/** Whether SQLite says that a file is not, or no longer, a whole database. */
export function isDatabaseDamage(error: unknown): boolean {
  return /not a database|malformed|disk I\/O error|file is encrypted/.test(
    String(error),
  );
}

/** There is no episode of that id. */
export function noEpisode(path: string, id: number): ViewerFault {
  return new ViewerFault(
    "unknown",
    `"${path}" has no episode ${id}; it may have been removed when the run was resumed`,
  );
}
