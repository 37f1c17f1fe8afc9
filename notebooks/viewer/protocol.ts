/**
 * The JSON types exchanged between the viewer's server and its page, and stored in exported files. The page's modules
 * import them through JSDoc.
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
  /** The outcome, such as `stopped` after a kill, or `null` if unknown. */
  readonly outcome: string | null;
  readonly data: string | null;
  /** The dataset's source and domain, e.g. `generated retail`. */
  readonly world: string | null;
  readonly agent: string | null;
  /** The model's name, or the policy being trained. */
  readonly model: string | null;
  readonly seed: number | null;
  /** The start time: ISO 8601, UTC. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly version: string | null;
  readonly commit: string | null;
  /** The last step with a line of metrics. */
  readonly steps: number | null;
  readonly episodes: number | null;
  /** The last pass^1 on the split that is furthest from training; `pass1Of` names the split. */
  readonly pass1: number | null;
  readonly pass1Of: string | null;
  /** The reward of the last step, or the mean across all episodes if there are no steps. */
  readonly reward: number | null;
  /** The reason why the run cannot be shown, if any; the other fields then contain what is known. */
  readonly error: string | null;
}

/** A metric over the steps of a run. */
export interface Curve {
  /** The name, e.g. `rl.reward` or `eval/dev/sampled.pass1`. */
  readonly key: string;
  /** `[step, value]`, in the order of the lines. */
  readonly points: readonly (readonly [number, number])[];
}

/** A run with its curves. */
export interface RunView {
  readonly run: RunSummary;
  readonly curves: readonly Curve[];
  /** The text of `config.yaml`. */
  readonly config: string | null;
  /** The score of each task, for an evaluation, or `null` for a training run. */
  readonly tasks: readonly TaskScore[] | null;
}

/** The scores of a run's tasks, for comparison with another run. */
export interface TaskTable {
  readonly run: string;
  /** The source whose last step is counted, e.g. `eval/test/sampled`; `null` if all episodes are counted. */
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
  /** The distinct reasons why episodes failed, joined by commas. */
  readonly reasons: string | null;
}

/** The advisories of a run. */
export interface Advisories {
  readonly advisories: readonly Advisory[];
}

/** A training step over time, in milliseconds from the start of its rollout. */
export interface StepTimeline {
  readonly step: number;
  readonly source: string;
  /** The steps with a timeline, in order. */
  readonly steps: readonly number[];
  /** The consecutive phases: `rollout`, `update`, `save`. */
  readonly phases: readonly TimelineSpan<string>[];
  /** The episodes, in the order in which they started. */
  readonly episodes: readonly TimelineEpisode[];
  /** The number of the step's episodes that `episodes` omits; these are the shortest ones. */
  readonly leftOut: number;
  /** The total wait of all episodes by kind, in milliseconds, or `null` if the run did not record it. */
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
  /** The spans of the episode; empty if the run did not record them. */
  readonly spans: readonly TimelineSpan<SpanKind>[];
}

/** A row of the table of episodes; its fields are defined in `episode_columns.ts`. */
export type EpisodeRow = EpisodeFields;

/** The progress of the full-text index, in episodes. */
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

/** A value of a field, and the number of episodes that have it and match the filter's other conditions. */
export interface FacetValue {
  readonly value: string | number | null;
  readonly count: number;
}

/** The values of each field with few distinct values. */
export type Facets = Readonly<Record<string, readonly FacetValue[]>>;

/** A tool call. Argument values are Python's JSON text, so that `1.0` stays `1.0`. */
export interface CallView {
  readonly name: string;
  readonly arguments: readonly (readonly [string, string])[];
}

/** A message of a conversation. */
export interface MessageView {
  readonly role: string;
  readonly content: string;
  /** The reasoning of a thinking model; empty if there is none. */
  readonly thought: string;
  readonly calls: readonly CallView[];
  /** The name of the tool, for a tool's result. */
  readonly name: string | null;
  /** The index, from 0, of the agent's action that the message is or answers, or `null` if there is none. */
  readonly turn: number | null;
}

/** A field of a row. Values are Python's JSON text; `null` if the field does not exist. */
export interface FieldView {
  readonly path: string;
  /** The initial value, or `undefined` if the initial state is not available. */
  readonly was?: string | null;
  readonly is: string | null;
  readonly should: string | null;
  /** `right`: changed as expected; `wrong`: changed to another value; `missing`: not changed; `extra`: not requested. */
  readonly verdict: "right" | "wrong" | "missing" | "extra";
}

/** A row that the episode or the gold actions change. */
export interface RowView {
  /** The side whose database the row is in; omitted if only one side has a database. */
  readonly side?: "agent" | "user";
  readonly table: string;
  readonly id: string;
  readonly isRight: boolean;
  readonly fields: readonly FieldView[];
}

/** The changes to the database. */
export interface DatabaseView {
  readonly rows: readonly RowView[];
  /** Whether initial values and correct rows are known, which requires the run's dataset. */
  readonly isWhole: boolean;
  /** A note for the reader, e.g. why the view is incomplete. */
  readonly note: string | null;
  /** Whether the reward compares rows with the expected ones. Default: `true`. */
  readonly isCompared?: boolean;
  /** The rows that each turn changed, as `table id`. */
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

/** A finding that explains an episode, from its record or from a diagnosis. */
export interface FindingView {
  /** `reward`, `user`, `failure`, or a kind that a diagnosis defines. */
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  /** The index, from 0, of the agent's action that the finding concerns. */
  readonly turn: number | null;
  /** Who is at fault, if known: `agent`, `user`, `infrastructure`, `gold`. */
  readonly blame: string | null;
}

/** Another episode of the same group. */
export interface SiblingView {
  readonly row: EpisodeRow;
  /** The first turn that differs from the episode's, or `null` if no turn differs. */
  readonly partsAt: number | null;
  /** The sibling's action in that turn: the tool's name, or its first words. */
  readonly partsBy: string | null;
}

/** An episode on its page. */
export interface EpisodeView {
  readonly run: string;
  readonly row: EpisodeRow;
  readonly messages: readonly MessageView[];
  readonly reward: {
    readonly value: number;
    readonly database: number | null;
    readonly outputs: number | null;
    readonly missingOutputs: readonly string[];
    /** The individual checks; empty if the benchmark only checks the database and the required outputs. */
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
  /** The index in the table, from 0, or `null` if the filter excludes the episode. */
  readonly position: number | null;
  readonly matched: number;
  readonly previous: number | null;
  readonly next: number | null;
}

/** An episode and its position in the table. */
export interface PlacedEpisode {
  readonly episode: EpisodeView;
  readonly place: Place;
}

/** The tokens of an episode; all arrays are `[T]`. */
export interface TokensView {
  readonly ids: readonly number[];
  readonly mask: readonly (0 | 1)[];
  /** Natural log probabilities, rounded to four decimals; 0 for tokens that were not sampled. */
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
  /** The task table of each run, by run id. */
  readonly tasks: Readonly<Record<string, TaskTable>>;
  readonly advisories: Readonly<Record<string, readonly Advisory[]>>;
  readonly episodes: readonly EpisodeView[];
  /** Tokens by `run/id`; empty if tokens were not exported. */
  readonly tokens: Readonly<Record<string, TokensView>>;
}
