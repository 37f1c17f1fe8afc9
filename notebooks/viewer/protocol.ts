/**
 * Defines the types of the JSON that the viewer's server and its page exchange, and that exported files contain. The
 * page's modules import them through JSDoc.
 */

import type { Episode, Failure, RewardCheck } from "../../env/types.ts";
import type { SpanKind } from "../../env/episode_spans.ts";
import type { Advisory } from "../../train/diagnosis/advisories.ts";
import type { EpisodeFields } from "../../train/runs/episode_facts.ts";

/** A run, an evaluation or a result file in the list of runs. */
export interface RunSummary {
  /** The unique id, used in URLs. */
  readonly id: string;
  readonly path: string;
  readonly kind: "train" | "evaluate" | "results";
  /** The trainer, `cpu` or `slime`, or `null` if unknown. */
  readonly trainer: string | null;
  /** The outcome of the run, such as `completed` or `stopped`, or `null` if unknown. */
  readonly outcome: string | null;
  readonly data: string | null;
  /** The source and domain of the dataset, such as `generated retail`. */
  readonly world: string | null;
  readonly agent: string | null;
  /** The name of the model, or of the policy that is being trained. */
  readonly model: string | null;
  readonly seed: number | null;
  /** The start time in ISO 8601 format, UTC. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly version: string | null;
  readonly commit: string | null;
  /** The last step for which there are metrics. */
  readonly steps: number | null;
  readonly episodes: number | null;
  /**
   * The pass^1 of an evaluation or a result file. For a training run, the pass^1 of the last evaluation on the split
   * test or, if there is none, on dev.
   */
  readonly pass1: number | null;
  /** The episodes from which `pass1` is computed, such as `all tasks` or `test, sampled`. */
  readonly pass1Of: string | null;
  /**
   * The mean reward of all episodes of an evaluation or a result file. For a training run, the mean reward of the last
   * step.
   */
  readonly reward: number | null;
  /**
   * The reason why the run cannot be shown at all or in full, or `null` if it can be shown in full. If there is an
   * error, the other fields contain what is known about the run.
   */
  readonly error: string | null;
}

/** The values of a metric over the steps of a run. */
export interface Curve {
  /** The name of the metric, such as `rl.reward` or `eval/dev/sampled.pass1`. */
  readonly key: string;
  /** The points, `[step, value]`, in the order in which the metrics were recorded. */
  readonly points: readonly (readonly [number, number])[];
}

/** A run with its config and its curves. */
export interface RunView {
  readonly run: RunSummary;
  readonly curves: readonly Curve[];
  /** The text of `config.yaml`, or `null` if there is none. */
  readonly config: string | null;
  /**
   * The score of each task for an evaluation or a result file, or `null` for a training run or if there are no
   * episodes.
   */
  readonly tasks: readonly TaskScore[] | null;
}

/** The scores of a run's tasks, for comparison with another run. */
export interface TaskTable {
  readonly run: string;
  /** The source whose last step is counted, such as `eval/test/sampled`, or `null` if all episodes are counted. */
  readonly source: string | null;
  /** The dataset's fingerprint, or `null` if unknown. */
  readonly fingerprint: string | null;
  readonly tasks: readonly TaskScore[];
}

/** The score of one task. */
export interface TaskScore {
  readonly task: string;
  readonly solved: number;
  /** The number of scored episodes. */
  readonly scored: number;
  readonly step: number;
  /** The distinct reasons why episodes failed, joined by commas, or `null` if none failed. */
  readonly reasons: string | null;
}

/** The advisories of a run. */
export interface Advisories {
  readonly advisories: readonly Advisory[];
}

/** The timeline of a training step. Times are in milliseconds since the start of the step's rollout. */
export interface StepTimeline {
  readonly step: number;
  readonly source: string;
  /** All steps of the run that have a timeline, in order. */
  readonly steps: readonly number[];
  /** The consecutive phases of the step, as far as the run recorded them: `rollout`, `update` and `save`. */
  readonly phases: readonly TimelineSpan<string>[];
  /** The episodes, in the order in which they started. */
  readonly episodes: readonly TimelineEpisode[];
  /** The number of the step's episodes that are omitted from `episodes`. The shortest episodes are omitted. */
  readonly leftOut: number;
  /** The total waiting time of all episodes in milliseconds, keyed by kind, or `null` if the run did not record it. */
  readonly waited: Readonly<Record<SpanKind, number>> | null;
}

/** A span of a timeline. */
export interface TimelineSpan<K extends string> {
  readonly kind: K;
  readonly startMs: number;
  readonly ms: number;
}

/** An episode on a timeline. */
export interface TimelineEpisode {
  readonly id: number;
  readonly task: string;
  readonly reward: number | null;
  readonly failure: string | null;
  readonly startMs: number;
  readonly ms: number;
  /** The spans of the episode. The list is empty if the run did not record them. */
  readonly spans: readonly TimelineSpan<SpanKind>[];
}

/** A row of the table of episodes. Its fields are defined in `episode_columns.ts`. */
export type EpisodeRow = EpisodeFields;

/** The progress of full-text indexing, in episodes. */
export interface TextProgress {
  readonly indexed: number;
  readonly total: number;
}

/** A page of the table of episodes. */
export interface EpisodePage {
  readonly total: number;
  readonly matched: number;
  readonly offset: number;
  readonly rows: readonly EpisodeRow[];
  readonly text: TextProgress;
}

/**
 * A value of a field with the number of episodes that have this value and match the filter's conditions on other
 * fields.
 */
export interface FacetValue {
  readonly value: string | number | null;
  readonly count: number;
}

/** The values of each facet, keyed by field name. A facet is a field with few distinct values. */
export type Facets = Readonly<Record<string, readonly FacetValue[]>>;

/** A tool call. The values of arguments are JSON text as formatted by Python, so that `1.0` stays `1.0`. */
export interface CallView {
  readonly name: string;
  readonly arguments: readonly (readonly [string, string])[];
}

/** A message of a conversation. */
export interface MessageView {
  readonly role: string;
  readonly content: string;
  /** The reasoning of a thinking model, or an empty string if there is none. */
  readonly thought: string;
  readonly calls: readonly CallView[];
  /** The name of the tool if the message is a tool's result, otherwise `null`. */
  readonly name: string | null;
  /** The zero-based index of the agent's action that the message contains or answers, or `null` if there is none. */
  readonly turn: number | null;
}

/** A field of a row. Each value is JSON text as formatted by Python, or `null` if the field does not exist. */
export interface FieldView {
  readonly path: string;
  /** The initial value, or `undefined` if the initial state is not available. */
  readonly was?: string | null;
  readonly is: string | null;
  readonly should: string | null;
  /**
   * The verdict on the change. `right`: changed as expected. `wrong`: changed to another value. `missing`: not changed,
   * although expected. `extra`: changed, although not expected.
   */
  readonly verdict: "right" | "wrong" | "missing" | "extra";
}

/** A row that the episode or the gold actions change. */
export interface RowView {
  /** The side whose database contains the row. Omitted if only one side has a database. */
  readonly side?: "agent" | "user";
  readonly table: string;
  readonly id: string;
  readonly isRight: boolean;
  readonly fields: readonly FieldView[];
}

/** The changes to the database. */
export interface DatabaseView {
  readonly rows: readonly RowView[];
  /** Whether the view includes initial values and correct rows, which requires the run's dataset. */
  readonly isWhole: boolean;
  /** A note for the reader, such as why the view is incomplete, or `null` if there is none. */
  readonly note: string | null;
  /** Whether the reward depends on a comparison of rows with the expected rows. Default: true. */
  readonly isCompared?: boolean;
  /** The rows that each turn changed, each as `table id`. */
  readonly writes: readonly {
    readonly turn: number;
    readonly rows: readonly string[];
  }[];
}

/** The task of an episode. */
export interface TaskView {
  readonly instruction: string;
  readonly actions: readonly CallView[];
  readonly outputs: readonly string[];
}

/** A finding that explains an episode. It comes from the record or from a diagnosis. */
export interface FindingView {
  /** The kind of the finding: `reward`, `user`, `failure`, or a kind that a diagnosis defines. */
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  /**
   * The zero-based index of the agent's action to which the finding refers, or `null` if it refers to no single action.
   */
  readonly turn: number | null;
  /**
   * The party at fault: `agent`, `user`, `infrastructure`, `gold` (the gold actions) or `unknown`. The value is `null`
   * if the finding does not name a party.
   */
  readonly blame: string | null;
}

/** An episode of the same group. The list of siblings includes the episode shown. */
export interface SiblingView {
  readonly row: EpisodeRow;
  /**
   * The zero-based index of the first turn that differs from the same turn of the episode shown, or `null` if no turn
   * differs.
   */
  readonly partsAt: number | null;
  /**
   * A short form of the sibling's action in that turn: its tool and arguments, or its message. The value is `ends` if
   * the sibling has no such turn, and `null` if no turn differs.
   */
  readonly partsBy: string | null;
}

/** The data of an episode's page. */
export interface EpisodeView {
  readonly run: string;
  readonly row: EpisodeRow;
  readonly messages: readonly MessageView[];
  readonly reward: {
    readonly value: number;
    readonly database: number | null;
    readonly outputs: number | null;
    readonly missingOutputs: readonly string[];
    /**
     * The individual checks behind the reward. The list is empty if the benchmark checks only the database and the
     * required outputs.
     */
    readonly checks: readonly RewardCheck[];
  } | null;
  readonly failure: Failure | null;
  readonly findings: readonly FindingView[];
  readonly database: DatabaseView;
  readonly task: TaskView | null;
  readonly usage: Episode["usage"] | null;
  readonly retries: number;
  /** The start time, in milliseconds on the run's clock. */
  readonly startedAtMs: number;
  readonly hasTokens: boolean;
  readonly siblings: readonly SiblingView[];
}

/** The position of an episode in the filtered, sorted table. */
export interface Place {
  /** The zero-based index in the table, or `null` if the filter excludes the episode. */
  readonly position: number | null;
  /** The number of episodes in the table. */
  readonly matched: number;
  /** The id of the previous episode in the table, or `null` if there is none. */
  readonly previous: number | null;
  /** The id of the next episode in the table, or `null` if there is none. */
  readonly next: number | null;
}

/** An episode and its position in the table. */
export interface PlacedEpisode {
  readonly episode: EpisodeView;
  readonly place: Place;
}

/** The tokens of an episode. All arrays are `[T]`. */
export interface TokensView {
  readonly ids: readonly number[];
  readonly mask: readonly (0 | 1)[];
  /**
   * The natural logarithms of the sampling probabilities, rounded to four decimals, or 0 for tokens that were not
   * sampled.
   */
  readonly logprobs: readonly number[];
  /** The text of each token, or `null` if the run's tokenizer is not available. */
  readonly texts: readonly string[] | null;
  readonly note: string | null;
}

/** The reason why a request failed. */
export interface ViewerProblem {
  readonly kind: "gone" | "damaged" | "newer" | "unknown" | "filter" | "bug";
  readonly message: string;
}

/** The data of an exported file. */
export interface ExportedData {
  readonly exportedAt: string;
  readonly version: string;
  readonly runs: readonly RunView[];
  /** The task table of each run, keyed by run id. */
  readonly tasks: Readonly<Record<string, TaskTable>>;
  readonly advisories: Readonly<Record<string, readonly Advisory[]>>;
  readonly episodes: readonly EpisodeView[];
  /** The tokens of each episode, keyed by `run/id`. The object is empty if tokens were not exported. */
  readonly tokens: Readonly<Record<string, TokensView>>;
}
