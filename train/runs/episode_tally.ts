/** Counts a run's episodes for advisories, with a few queries that do not read conversations. */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";

/** The number of steps in the window at the end of a run. */
export const WINDOW = 10;

/** The maximum number of tasks that are named in a sentence. */
const MAX_TASKS = 8;

/** The scored episodes of one task in one step: their number, and the best and worst rewards. */
export interface GroupTally {
  readonly task: string;
  readonly scored: number;
  readonly best: number;
  readonly worst: number;
}

/** The number of episodes that failed because of infrastructure, for one source and kind of failure. */
export interface FailureTally {
  /** The component that failed: `user`, `model`, `environment`; `unknown` in old records. */
  readonly source: string;
  readonly kind: string;
  readonly episodes: number;
}

/**
 * Counts of a run's episodes. Some counts apply only to the run's last steps, called the window. For an evaluation, the
 * window is the whole run.
 */
export interface EpisodeTally {
  /** The number of episodes in the whole run, including evaluations. */
  readonly episodes: number;
  readonly failures: readonly FailureTally[];
  /**
   * The source of the episodes that are trained on, such as `rl` or `slime`. If no episodes are trained on, the most
   * frequent source, such as `evaluate/test`.
   */
  readonly source: string;
  /** The first step of the window. */
  readonly from: number;
  /** The last step of the window. */
  readonly to: number;
  readonly isTraining: boolean;
  /** The counts within the window. */
  readonly inWindow: {
    readonly episodes: number;
    readonly scored: number;
    readonly groups: readonly GroupTally[];
    /** The number of scored episodes with each fault of the simulated user. */
    readonly faults: ReadonlyMap<string, number>;
    /** The tools that the agent called; `null` if the run did not record them. */
    readonly tools: ReadonlySet<string> | null;
    /** The tasks with at least one episode. */
    readonly tasks: readonly string[];
  };
  /** For each step of {@linkcode EpisodeTally.source}, the number of unreadable answers and the number of episodes. */
  readonly parseErrors: readonly {
    readonly step: number;
    readonly errors: number;
    readonly episodes: number;
  }[];
  /** The tools that were called before the window. */
  readonly earlierTools: ReadonlySet<string>;
}

/** The sources of the episodes that are trained on, in order of preference. */
const TRAINING = ["rl", "slime", "rft"];

/**
 * Counts the episodes of a relation. The relation's columns must be the fields of the viewer's filter
 * (episode_facts.ts).
 * @param relation A table's name, or a query in parentheses.
 * @returns `null` if there are no episodes.
 */
export function tallyEpisodes(
  db: DatabaseSync,
  relation: string,
): EpisodeTally | null {
  const ask = (what: string, rest: string, ...values: SQLInputValue[]) =>
    db.prepare(`SELECT ${what} FROM ${relation} ${rest}`).all(...values);
  const sources = ask(
    "source, count(*) AS n, max(step) AS last",
    "GROUP BY source ORDER BY n DESC",
  );
  const training = TRAINING.find((name) =>
    sources.some(({ source }) => source === name)
  );
  const watched = training === undefined
    ? sources[0]
    : sources.find(({ source }) => source === training);
  if (watched === undefined) return null;
  const source = String(watched["source"]);
  const isTraining = training !== undefined;
  const to = Number(watched["last"]);
  const from = isTraining ? Math.max(0, to - WINDOW + 1) : 0;
  const inside = "WHERE source = ? AND step >= ?";
  const tools = (rest: string, ...values: SQLInputValue[]) =>
    wordsOf(
      ask("DISTINCT tool AS words", `${rest} AND tool IS NOT NULL`, ...values),
    );
  const [all] = ask(
    "count(*) AS n, count(reward) AS scored, count(tool) AS noted",
    inside,
    source,
    from,
  );
  return {
    episodes: sources.reduce((sum, { n }) => sum + Number(n), 0),
    failures: ask(
      "coalesce(failed_by, 'unknown') AS source, failure AS kind, count(*) AS n",
      "WHERE failure IS NOT NULL GROUP BY 1, 2 ORDER BY n DESC",
    ).map(({ source, kind, n }) => ({
      source: String(source),
      kind: String(kind),
      episodes: Number(n),
    })),
    source,
    from,
    to,
    isTraining,
    inWindow: {
      episodes: Number(all?.["n"]),
      scored: Number(all?.["scored"]),
      groups: ask(
        "task, count(reward) AS scored, max(reward) AS best, min(reward) AS worst",
        `${inside} AND reward IS NOT NULL GROUP BY step, "group", task`,
        source,
        from,
      ).map(({ task, scored, best, worst }) => ({
        task: String(task),
        scored: Number(scored),
        best: Number(best),
        worst: Number(worst),
      })),
      faults: faultsOf(ask(
        "fault AS words, count(*) AS n",
        `${inside} AND fault IS NOT NULL GROUP BY fault`,
        source,
        from,
      )),
      tools: Number(all?.["noted"]) === 0 ? null : tools(inside, source, from),
      tasks: ask("DISTINCT task", inside, source, from)
        .map(({ task }) => String(task)),
    },
    parseErrors: ask(
      "step, sum(parse_errors) AS errors, count(*) AS episodes",
      "WHERE source = ? GROUP BY step ORDER BY step",
      source,
    ).map(({ step, errors, episodes }) => ({
      step: Number(step),
      errors: Number(errors),
      episodes: Number(episodes),
    })),
    earlierTools: tools("WHERE source = ? AND step < ?", source, from),
  };
}

/** Formats task ids for use in a sentence: the first {@linkcode MAX_TASKS} of them, and how many more there are. */
export function namedTasks(tasks: readonly string[]): string {
  const more = tasks.length - MAX_TASKS;
  return tasks.slice(0, MAX_TASKS).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
}

function wordsOf(
  rows: readonly Readonly<Record<string, unknown>>[],
): Set<string> {
  return new Set(
    rows.flatMap(({ words }) => String(words).split(",")).filter(Boolean),
  );
}

/** Counts the episodes per fault; an episode may have several. */
function faultsOf(
  rows: readonly Readonly<Record<string, unknown>>[],
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { words, n } of rows) {
    for (const fault of String(words).split(",")) {
      counts.set(fault, (counts.get(fault) ?? 0) + Number(n));
    }
  }
  return counts;
}
