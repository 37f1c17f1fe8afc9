/**
 * The table of an episode's columns. It defines `episodes.db` and its migration, data frames, and the viewer's list and
 * filter (episode_facts.ts), so a new column needs only one entry here. In a database older than a column's `since`
 * version, the column reads as `null`. Opening the database for writing adds the column, which stays empty in the
 * existing rows.
 */

import { z } from "zod";
import { DEFAULT_BENCHMARK } from "../../env/domain.ts";
import { packSpans } from "../../env/episode_spans.ts";
import type { Episode } from "../../env/types.ts";

/** The position of an episode in a run, which the {@linkcode Episode} itself does not record. */
export interface EpisodePlace {
  /**
   * The training step in which the episode was sampled, or after which it was sampled for an evaluation; 0 in a run
   * that only evaluates.
   */
  readonly step: number;
  /** The source of the episode: `rl`, `eval/dev/sampled`, `eval/test/greedy`. */
  readonly source: string;
  /** The index of the episode's group or task in the step, from 0. */
  readonly group: number;
  /** The advantage, by which the episode's gradient is multiplied; `null` if the episode was not trained on. */
  readonly advantage: number | null;
}

/** The TypeScript type for each SQL column type. SQLite stores JSON as text. */
export interface ColumnTypes {
  "INTEGER NOT NULL": number;
  "REAL NOT NULL": number;
  "TEXT NOT NULL": string;
  REAL: number | null;
  TEXT: string | null;
  JSON: unknown;
}

/** How a value in a data frame is computed from a column's value. */
interface Cell<T> {
  readonly isInteger: boolean;
  readonly of: (value: T) => string | number | null;
}

/** Settings of a column, in addition to its type and its value. */
export interface ColumnOptions<T> {
  /** The column's key in a `StoredEpisode`. Default: the column's name in camel case. */
  readonly key?: string;
  /** The first version of `episodes.db` that has the column. Default: 1. A column added later must allow NULL. */
  readonly since?: number;
  /** The fields of a JSON cell that readers rely on. The cell may have other fields too. */
  readonly shape?: z.ZodType;
  /** The SQL expression that reads the column in files older than `version`. */
  readonly before?: { readonly version: number; readonly sql: string };
  /**
   * The columns of a data frame that are computed from this column, keyed by name. Default: one column with the same
   * name and value.
   */
  readonly frame?: Readonly<Record<string, Cell<T>>>;
  /** The name of the viewer's field that filters and sorts by this column. Default: none. */
  readonly field?: string;
  /** The label of the field's menu. Set only for a field with few values. */
  readonly choice?: string;
  /** The SQL expression of the field. Default: the column itself. */
  readonly fieldSql?: string;
  /** Whether the field is a comma-separated list. Default: `false`. */
  readonly isList?: boolean;
}

function column<
  S extends keyof ColumnTypes,
  T extends ColumnTypes[S],
  const O = Record<never, never>,
>(
  sql: S,
  of: (episode: Episode, place: EpisodePlace) => T,
  options?: O & ColumnOptions<T>,
) {
  return { sql, of, options: options as O };
}

function whole<T>(of: (value: T) => number | null) {
  return { isInteger: true, of } as const;
}

function plain<T, V extends string | number | null>(of: (value: T) => V) {
  return { isInteger: false, of } as const;
}

type Scored = Episode["reward"];
type Failed = Episode["failure"];
type Found = Episode["findings"];
/** The usage of an episode; `null` in databases of version 1, which did not record it. */
type Used = Episode["usage"] | null;

const SCORED = z.looseObject({
  parts: z.looseObject({
    database: z.number(),
    outputs: z.number().nullable(),
  }),
  differences: z.array(z.looseObject({
    table: z.string(),
    id: z.string(),
    fields: z.array(z.looseObject({ path: z.string() })),
  })),
  missingOutputs: z.array(z.string()),
  checks: z.array(z.looseObject({ part: z.string(), what: z.string() }))
    .optional(),
});
const FAILED = z.looseObject({
  kind: z.string(),
  source: z.string(),
  message: z.string(),
});
const FOUND = z.array(z.looseObject({
  fault: z.string(),
  message: z.number(),
  evidence: z.string(),
}));
const SPENT = z.looseObject({
  calls: z.number(),
  promptTokens: z.number(),
  completionTokens: z.number(),
  cost: z.number().nullable(),
});
const USED = z.looseObject({ agent: SPENT, user: SPENT });

/**
 * The SQL expression that lists each fault once: `[{"fault":"leak",…},…]` becomes `leak,…`; NULL if there are none, or
 * the cell is damaged.
 */
const FAULTS =
  "CASE WHEN findings IS NULL OR findings = '[]' OR NOT json_valid(findings) THEN NULL ELSE (" +
  "SELECT group_concat(DISTINCT json_extract(value, '$.fault')) FROM json_each(findings) WHERE type = 'object') END";

/**
 * The SQL expression for the source of a failure: `{"source":"user",…}` becomes `user`; NULL if there is no failure, or
 * the cell is damaged.
 */
const FAILED_BY =
  "CASE WHEN json_valid(failure) THEN json_extract(failure, '$.source') END";

/** All columns except the id, in the table's order. */
export const EPISODE_COLUMNS = {
  step: column("INTEGER NOT NULL", (_, { step }) => step, { field: "step" }),
  /** The name of the source: `rl`, `eval/test/greedy`, `evaluate/test`. */
  source: column("TEXT NOT NULL", (_, { source }) => source, {
    // Version 1 named it after its first estimator.
    before: {
      version: 3,
      sql: "CASE source WHEN 'grpo' THEN 'rl' ELSE source END",
    },
    field: "source",
    choice: "Source",
  }),
  /** The index of the episode's group or task in the step and source, from 0. */
  group_index: column("INTEGER NOT NULL", (_, { group }) => group, {
    key: "group",
    field: "group",
  }),
  task_id: column("TEXT NOT NULL", ({ taskId }) => taskId, { field: "task" }),
  /**
   * The benchmark to which the episode's domain belongs. `null` means τ-bench, which was originally the only benchmark.
   */
  benchmark: column(
    "TEXT",
    ({ benchmark }): string | null => benchmark ?? null,
    {
      since: 3,
      frame: {
        benchmark: plain((benchmark: string | null) =>
          benchmark ?? DEFAULT_BENCHMARK
        ),
      },
    },
  ),
  domain: column("TEXT NOT NULL", ({ domain }): string => domain),
  split: column("TEXT NOT NULL", ({ split }): string => split, {
    field: "split",
  }),
  intent: column("TEXT", ({ intent }) => intent, {
    field: "intent",
    choice: "Intent",
  }),
  seed: column("INTEGER NOT NULL", ({ seed }) => seed, { field: "seed" }),
  agent: column("TEXT NOT NULL", ({ agent }) => agent, { field: "agent" }),
  model: column("TEXT NOT NULL", ({ model }) => model, { field: "model" }),
  user: column("TEXT NOT NULL", ({ user }) => user, { field: "user" }),
  /** The reward; `null` if infrastructure failed, because the episode is then not scored. */
  reward: column("REAL", ({ reward }) => reward?.value ?? null, {
    field: "reward",
    choice: "Reward",
  }),
  /** The reward, with its parts and the differences from the expected state. */
  reward_detail: column("JSON", ({ reward }) => reward, {
    shape: SCORED,
    frame: {
      /** The `database` part of τ-bench's reward: 0 or 1; `null` if the episode was not scored. */
      reward_database: whole((reward: Scored) =>
        reward?.parts.database ?? null
      ),
      /**
       * The `outputs` part of τ-bench's reward: 0 or 1; `null` if the episode was not scored, or its task requires no
       * outputs.
       */
      reward_outputs: whole((reward: Scored) => reward?.parts.outputs ?? null),
    },
  }),
  advantage: column("REAL", (_, { advantage }) => advantage, {
    field: "advantage",
  }),
  stop_reason: column("TEXT NOT NULL", ({ stopReason }): string => stopReason, {
    field: "stop",
    choice: "Stopped by",
  }),
  /** The reason why the reward according to the benchmark's rule is not 1; `null` if it is 1, or there is no reward. */
  reason: column("TEXT", ({ reason }): string | null => reason, {
    since: 2,
    field: "reason",
    choice: "Reason",
  }),
  failure_kind: column(
    "TEXT",
    ({ failure }): string | null => failure?.kind ?? null,
    { field: "failure", choice: "Failure" },
  ),
  failure: column("JSON", ({ failure }) => failure, {
    shape: FAILED,
    frame: {
      failure_source: plain((failure: Failed) => failure?.source ?? null),
      failure: plain((failure: Failed) => failure?.message ?? null),
    },
    field: "failed_by",
    fieldSql: FAILED_BY,
    isList: true,
  }),
  /** The faults found in the simulated user's behavior. */
  findings: column("JSON", ({ findings }) => findings, {
    since: 2,
    shape: FOUND,
    frame: {
      /** The number of faults of the simulated user. */
      user_faults: whole((findings: Found) => findings?.length ?? null),
    },
    field: "fault",
    choice: "User’s fault",
    fieldSql: FAULTS,
    isList: true,
  }),
  retries: column("INTEGER NOT NULL", ({ retries }) => retries),
  parse_errors: column("INTEGER NOT NULL", ({ parseErrors }) => parseErrors, {
    field: "parse_errors",
  }),
  turn_count: column("INTEGER NOT NULL", ({ turns }) => turns.length, {
    key: "turns",
    field: "turns",
  }),
  /**
   * The total number of tokens in the prompts and answers. If the model is not token-level, the total is 0 in the
   * database and `null` in a data frame.
   */
  token_count: column(
    "INTEGER NOT NULL",
    ({ trajectory }) => trajectory?.ids.length ?? 0,
    {
      key: "tokens",
      frame: {
        token_count: whole((tokens: number) => tokens === 0 ? null : tokens),
      },
      field: "tokens",
    },
  ),
  usage: column("JSON", ({ usage }): Used => usage, {
    since: 2,
    shape: USED,
    frame: {
      /** The number of calls to the agent's model, if the model counts them. */
      agent_calls: whole((usage: Used) => usage?.agent.calls ?? null),
      agent_prompt_tokens: whole((usage: Used) =>
        usage?.agent.promptTokens ?? null
      ),
      agent_completion_tokens: whole((usage: Used) =>
        usage?.agent.completionTokens ?? null
      ),
      /** The cost of the agent's calls in US dollars. */
      agent_cost: plain((usage: Used) => usage?.agent.cost ?? null),
      user_calls: whole((usage: Used) => usage?.user.calls ?? null),
      user_prompt_tokens: whole((usage: Used) =>
        usage?.user.promptTokens ?? null
      ),
      user_completion_tokens: whole((usage: Used) =>
        usage?.user.completionTokens ?? null
      ),
      user_cost: plain((usage: Used) => usage?.user.cost ?? null),
    },
  }),
  /** The names of the tools that the agent called, `cancel_order,get_order`; empty if it called no tool. */
  tools: column("TEXT", ({ turns }): string | null => toolsOf(turns), {
    since: 4,
    field: "tool",
    isList: true,
  }),
  /** The spans of time during which the episode waited, such as `u812m1204e3`; see `packSpans()`. */
  spans: column(
    "TEXT",
    ({ spans }): string | null => spans === undefined ? null : packSpans(spans),
    { since: 4 },
  ),
  started_at_ms: column("REAL NOT NULL", ({ startedAtMs }) => startedAtMs),
  duration_ms: column("REAL NOT NULL", ({ durationMs }) => durationMs, {
    field: "seconds",
    fieldSql: "duration_ms / 1000",
  }),
};

function toolsOf(turns: Episode["turns"]): string {
  const names = turns.flatMap(({ action }) =>
    action.type === "tool" ? [action.call.name] : []
  );
  return [...new Set(names)].sort().join(",");
}
