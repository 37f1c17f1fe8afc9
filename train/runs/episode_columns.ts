/**
 * The table of an episode's columns. `episodes.db`, its migration, data frames, the viewer's list and its filter
 * follow from it (episode_facts.ts): a new column is one entry here. With `since`, older databases read as `null`
 * there and gain the column once they are written again.
 */

import { z } from "zod";
import { DEFAULT_BENCHMARK } from "../../env/domain.ts";
import { packSpans } from "../../env/episode_spans.ts";
import type { Episode } from "../../env/types.ts";

/** Where an episode stands in a run, beside what the {@linkcode Episode} itself knows. */
export interface EpisodePlace {
  /** Policy updates before it was sampled, plus one: the step that it belongs to. */
  readonly step: number;
  /** `rl`, `eval/dev/sampled`, `eval/test/greedy`. */
  readonly source: string;
  /** Which group or task of the step, from 0. */
  readonly group: number;
  /** What multiplied its gradient; `null` where it did not train. */
  readonly advantage: number | null;
}

/** What each type of a column holds; JSON is text to SQLite. */
export interface Held {
  "INTEGER NOT NULL": number;
  "REAL NOT NULL": number;
  "TEXT NOT NULL": string;
  REAL: number | null;
  TEXT: string | null;
  JSON: unknown;
}

/** A value of a data frame. */
interface Cell<T> {
  readonly isInteger: boolean;
  readonly of: (value: T) => string | number | null;
}

/** What a column is beyond its type and its value. */
export interface ColumnOptions<T> {
  /** Its name in a `StoredEpisode`. Default: the column's in camel case. */
  readonly key?: string;
  /** The version of `episodes.db` that has it first. Default: 1. Later ones have to allow NULL. */
  readonly since?: number;
  /** What a reader may count on in a cell of JSON; more may be there. */
  readonly shape?: z.ZodType;
  /** How the values of versions before `version` are read. */
  readonly before?: { readonly version: number; readonly sql: string };
  /** What a data frame has of it, by name. Default: the value under the column's name. */
  readonly frame?: Readonly<Record<string, Cell<T>>>;
  /** Its name among the fields by which the viewer filters and sorts. Default: it is none of them. */
  readonly field?: string;
  /** The label of the field's choice, where it has few values. */
  readonly choice?: string;
  /** The expression that makes the field. Default: the column itself. */
  readonly fieldSql?: string;
  /** Whether the field holds words joined by commas. */
  readonly isList?: boolean;
}

function column<
  S extends keyof Held,
  T extends Held[S],
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
/** `null` in runs of version 1, which did not note it. */
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

/** Each fault once: `[{"fault":"leak",…},…]` becomes `leak,…`; none where the cell is damaged. */
const FAULTS =
  "CASE WHEN findings IS NULL OR findings = '[]' OR NOT json_valid(findings) THEN NULL ELSE (" +
  "SELECT group_concat(DISTINCT json_extract(value, '$.fault')) FROM json_each(findings) WHERE type = 'object') END";

/** Who failed: `{"source":"user",…}` becomes `user`; none where the cell is damaged. */
const FAILED_BY =
  "CASE WHEN json_valid(failure) THEN json_extract(failure, '$.source') END";

/** All facts but the id, in the order of the table. */
export const EPISODE_COLUMNS = {
  step: column("INTEGER NOT NULL", (_, { step }) => step, { field: "step" }),
  /** `rl`, `eval/test/greedy`, `evaluate/test`. */
  source: column("TEXT NOT NULL", (_, { source }) => source, {
    // Once called by its first estimator.
    before: {
      version: 3,
      sql: "CASE source WHEN 'grpo' THEN 'rl' ELSE source END",
    },
    field: "source",
    choice: "Source",
  }),
  /** Which group or task of its step and source, from 0. */
  group_index: column("INTEGER NOT NULL", (_, { group }) => group, {
    key: "group",
    field: "group",
  }),
  task_id: column("TEXT NOT NULL", ({ taskId }) => taskId, { field: "task" }),
  /** Whose domain it is; `null` is τ-bench, as in runs from before there were others. */
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
  /** `null` where infrastructure failed: not scored. */
  reward: column("REAL", ({ reward }) => reward?.value ?? null, {
    field: "reward",
    choice: "Reward",
  }),
  /** Its parts and what is wrong. */
  reward_detail: column("JSON", ({ reward }) => reward, {
    shape: SCORED,
    frame: {
      /** The two parts of τ-bench's reward, 0 or 1. */
      reward_database: whole((reward: Scored) =>
        reward?.parts.database ?? null
      ),
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
  /** Why the reward is not 1. */
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
  /** What the simulated user did wrong. */
  findings: column("JSON", ({ findings }) => findings, {
    since: 2,
    shape: FOUND,
    frame: {
      /** Faults of the simulated user. */
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
  /** Prompt and answers together; 0 where the model does not work on tokens, `null` in a data frame. */
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
      /** Calls of the agent's model, as far as it counts them. */
      agent_calls: whole((usage: Used) => usage?.agent.calls ?? null),
      agent_prompt_tokens: whole((usage: Used) =>
        usage?.agent.promptTokens ?? null
      ),
      agent_completion_tokens: whole((usage: Used) =>
        usage?.agent.completionTokens ?? null
      ),
      /** In US dollars. */
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
  /** The tools that the agent called, `cancel_order,get_order`; empty where it called none. */
  tools: column("TEXT", ({ turns }): string | null => toolsOf(turns), {
    since: 4,
    field: "tool",
    isList: true,
  }),
  /** What it waited for, `u812m1204e3`: see `packSpans()`. */
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
