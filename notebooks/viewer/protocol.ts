/**
 * What the viewer's server tells its page, and what an exported file holds: plain JSON. The page's modules take
 * these types by JSDoc.
 */

import type { Episode, Failure, RewardCheck } from "../../env/types.ts";
import type { SpanKind } from "../../env/episode_spans.ts";
import type { Advisory } from "../../train/diagnosis/advisories.ts";
import type { EpisodeFields } from "../../train/runs/episode_facts.ts";

/** A run, an evaluation or a result file, as the list of runs shows it. */
export interface RunSummary {
  /** Names it in URLs; unique among those that are shown. */
  readonly id: string;
  readonly path: string;
  readonly kind: "train" | "evaluate" | "results";
  /** `cpu`, `slime`; `null` where nothing says so. */
  readonly trainer: string | null;
  /** `stopped` after a kill; `null` where nothing says so. */
  readonly outcome: string | null;
  readonly data: string | null;
  /** Where it is from and which domain: `generated retail`. */
  readonly world: string | null;
  readonly agent: string | null;
  /** A model's name, or the policy that trains. */
  readonly model: string | null;
  readonly seed: number | null;
  /** ISO 8601, UTC. */
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly version: string | null;
  readonly commit: string | null;
  /** The last step that has a line of metrics. */
  readonly steps: number | null;
  readonly episodes: number | null;
  /** The last pass^1 on the split that counts most, and which it is. */
  readonly pass1: number | null;
  readonly pass1Of: string | null;
  /** The reward of the last step, or the mean of all episodes where there are no steps. */
  readonly reward: number | null;
  /** Why it cannot be shown; the rest is then what little is known. */
  readonly error: string | null;
}

/** A number over the steps of a run. */
export interface Curve {
  /** `rl.reward`, `eval/dev/sampled.pass1`. */
  readonly key: string;
  /** `[step, value]`, in the order of the lines. */
  readonly points: readonly (readonly [number, number])[];
}

/** A run with its curves. */
export interface RunView {
  readonly run: RunSummary;
  readonly curves: readonly Curve[];
  /** `config.yaml` as it is on disk. */
  readonly config: string | null;
  /** Of an evaluation, how often each task was solved; `null` of a run that trains. */
  readonly tasks: readonly TaskScore[] | null;
}

/** How often a run solved each task, to be compared with another's. */
export interface TaskTable {
  readonly run: string;
  /** Which of its episodes, where a run has others: the last of `eval/test/sampled`. */
  readonly source: string | null;
  /** Tells datasets apart; `null` where nothing says so. */
  readonly fingerprint: string | null;
  readonly tasks: readonly TaskScore[];
}

/** A task of an evaluation. */
export interface TaskScore {
  readonly task: string;
  readonly solved: number;
  /** Episodes that were scored. */
  readonly scored: number;
  readonly step: number;
  /** Why its episodes earned no reward, each reason once, joined by commas. */
  readonly reasons: string | null;
}

/** What a person should look at in a run. */
export interface Advisories {
  readonly advisories: readonly Advisory[];
}

/** A training step over time: milliseconds from the start of its rollout. */
export interface StepTimeline {
  readonly step: number;
  readonly source: string;
  /** The steps that can be shown, in order. */
  readonly steps: readonly number[];
  /** One after the other: `rollout`, `update`, `save`. */
  readonly phases: readonly TimelineSpan<string>[];
  /** In the order in which they began. */
  readonly episodes: readonly TimelineEpisode[];
  /** Episodes of the step that are not in `episodes`: the shortest ones. */
  readonly leftOut: number;
  /** What all episodes of the step waited for; `null` where the run did not note it. */
  readonly waited: Readonly<Record<SpanKind, number>> | null;
}

/** A stretch of a timeline. */
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
  /** Its stretches; none where the run did not note them. */
  readonly spans: readonly TimelineSpan<SpanKind>[];
}

/** An episode as the table shows it: the fields of a filter, which episode_columns.ts names. */
export type EpisodeRow = EpisodeFields;

/** How far the index of all texts is. */
export interface TextProgress {
  readonly indexed: number;
  readonly total: number;
}

/** A stretch of the table. */
export interface EpisodePage {
  readonly total: number;
  readonly matched: number;
  readonly offset: number;
  readonly rows: readonly EpisodeRow[];
  readonly text: TextProgress;
}

/** A value of a field and how many episodes have it, under the filter's other conditions. */
export interface FacetValue {
  readonly value: string | number | null;
  readonly count: number;
}

/** The values of the fields that have few. */
export type Facets = Readonly<Record<string, readonly FacetValue[]>>;

/** A tool call; the values are Python's JSON text, so that `1.0` stays `1.0`. */
export interface CallView {
  readonly name: string;
  readonly arguments: readonly (readonly [string, string])[];
}

/** A message of a conversation. */
export interface MessageView {
  readonly role: string;
  readonly content: string;
  /** What a thinking model thought before; empty where there is nothing. */
  readonly thought: string;
  readonly calls: readonly CallView[];
  /** The tool that answers. */
  readonly name: string | null;
  /** Which action of the agent it is or answers, from 0; `null` where it belongs to none. */
  readonly turn: number | null;
}

/** A field of a row; values are Python's JSON text, `null` where there is no such field. */
export interface FieldView {
  readonly path: string;
  /** `undefined` where the world at the start is not at hand. */
  readonly was?: string | null;
  readonly is: string | null;
  readonly should: string | null;
  /** `right`: changed as it should; `wrong`: otherwise; `missing`: not changed; `extra`: nobody asked. */
  readonly verdict: "right" | "wrong" | "missing" | "extra";
}

/** A row that the episode or the gold changes. */
export interface RowView {
  /** Left out where only one side has a database. */
  readonly side?: "agent" | "user";
  readonly table: string;
  readonly id: string;
  readonly isRight: boolean;
  readonly fields: readonly FieldView[];
}

/** What became of the database. */
export interface DatabaseView {
  readonly rows: readonly RowView[];
  /** Whether `was` and rows that came out right are known, which takes the run's data. */
  readonly isWhole: boolean;
  /** Why not, for a person. */
  readonly note: string | null;
  /** Whether the reward compares rows with what they should be. Default: it does. */
  readonly isCompared?: boolean;
  /** Rows that an action changed, as `table id`, by turn. */
  readonly writes: readonly {
    readonly turn: number;
    readonly rows: readonly string[];
  }[];
}

/** The task of an episode, where it is known. */
export interface TaskView {
  readonly instruction: string;
  readonly actions: readonly CallView[];
  readonly outputs: readonly string[];
}

/** Something that explains an episode: of the record, or of a diagnosis. */
export interface FindingView {
  /** `reward`, `user`, `failure`; a diagnosis adds its own. */
  readonly kind: string;
  readonly title: string;
  readonly detail: string;
  /** Which action of the agent it is about, from 0. */
  readonly turn: number | null;
  /** Whose fault it is, where that is known: `agent`, `user`, `infrastructure`, `gold`. */
  readonly blame: string | null;
}

/** An episode of the same group. */
export interface SiblingView {
  readonly row: EpisodeRow;
  /** The first turn that differs from the episode's; `null` where none does. */
  readonly partsAt: number | null;
  /** What it does there: `tool name`, or its first words. */
  readonly partsBy: string | null;
}

/** An episode as its page shows it. */
export interface EpisodeView {
  readonly run: string;
  readonly row: EpisodeRow;
  readonly messages: readonly MessageView[];
  readonly reward: {
    readonly value: number;
    readonly database: number | null;
    readonly outputs: number | null;
    readonly missingOutputs: readonly string[];
    /** What was looked at, part by part; none where the benchmark looks at the database and what was told alone. */
    readonly checks: readonly RewardCheck[];
  } | null;
  readonly failure: Failure | null;
  readonly findings: readonly FindingView[];
  readonly database: DatabaseView;
  readonly task: TaskView | null;
  readonly usage: Episode["usage"] | null;
  readonly retries: number;
  /** Milliseconds since the run's clock began. */
  readonly startedAtMs: number;
  readonly hasTokens: boolean;
  readonly siblings: readonly SiblingView[];
}

/** Where an episode stands in the table as it is filtered and sorted. */
export interface Place {
  /** From 0; `null` where the filter leaves it out. */
  readonly position: number | null;
  readonly matched: number;
  readonly previous: number | null;
  readonly next: number | null;
}

/** An episode and its place. */
export interface PlacedEpisode {
  readonly episode: EpisodeView;
  readonly place: Place;
}

/** The tokens of an episode; all arrays are `[T]`. */
export interface TokensView {
  readonly ids: readonly number[];
  readonly mask: readonly (0 | 1)[];
  /** Natural logs, rounded to a ten-thousandth; 0 where the token was not sampled. */
  readonly logprobs: readonly number[];
  /** `null` where the run's tokenizer is not at hand. */
  readonly texts: readonly string[] | null;
  readonly note: string | null;
}

/** Why a request was not answered. */
export interface ViewerProblem {
  readonly kind: "gone" | "damaged" | "newer" | "unknown" | "filter" | "bug";
  readonly message: string;
}

/** What an exported file holds. */
export interface ExportedData {
  readonly exportedAt: string;
  readonly version: string;
  readonly runs: readonly RunView[];
  /** Of each run, by its id. */
  readonly tasks: Readonly<Record<string, TaskTable>>;
  readonly advisories: Readonly<Record<string, readonly Advisory[]>>;
  readonly episodes: readonly EpisodeView[];
  /** By `run/id`; left out where the export has no tokens. */
  readonly tokens: Readonly<Record<string, TokensView>>;
}
