/**
 * Implements a source that shows a benchmark's result file. Each task is shown as a group, and each trial as an
 * episode.
 */

import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ConfigError, DataError, messageOf } from "../../env/errors.ts";
import {
  openResults,
  type ResultsFile,
} from "../../env/benchmarks/results/open_results.ts";
import type {
  KnownTask,
  KnownTasks,
  ResultEpisode,
} from "../../env/benchmarks/results/result_episode.ts";
import type { BenchmarkDirs } from "../../train/config/open_dataset.ts";
import {
  advisoriesOf,
  type Advisory,
} from "../../train/diagnosis/advisories.ts";
import { unknownFields } from "../../train/runs/episode_facts.ts";
import { callOf, messagesOf, turnsOf } from "./conversation_view.ts";
import {
  EpisodeIndex,
  FACT_COLUMNS,
  FACT_DEFINITIONS,
} from "./episode_index.ts";
import { viewEpisode } from "./episode_view.ts";
import type { EpisodeFinder } from "./findings.ts";
import type {
  EpisodeRow,
  EpisodeView,
  RunSummary,
  RunView,
  StepTimeline,
  TaskTable,
  TokensView,
} from "./protocol.ts";
import {
  type EpisodeSource,
  UNKNOWN_RUN,
  ViewerFault,
} from "./viewer_source.ts";
import type { World } from "./world_view.ts";

interface Loaded {
  /** The records, keyed by their position in the file, which is also the id of the episode. */
  readonly records: ReadonlyMap<number, LoadedRecord>;
  /** A sentence about the records that could not be read, or `null` if there are none. */
  readonly fault: string | null;
  readonly benchmark: ResultsFile["benchmark"];
  readonly db: DatabaseSync;
  readonly index: EpisodeIndex;
}

interface LoadedRecord {
  readonly record: ResultEpisode;
  /**
   * The task, or `null` if the benchmark's dataset is not available, or if neither the dataset nor the file contains
   * the task.
   */
  readonly known: KnownTask | null;
}

/** A result file, presented as if it were a run. */
export class ResultsSource implements EpisodeSource {
  readonly id: string;
  readonly path: string;
  readonly #find: EpisodeFinder;
  readonly #dirs: BenchmarkDirs;
  #loaded: Promise<Loaded> | undefined;
  #stamp = "";

  constructor(
    path: string,
    { id, find, ...dirs }: BenchmarkDirs & {
      id?: string;
      find: EpisodeFinder;
    },
  ) {
    this.path = path;
    this.id = id ?? basename(path);
    this.#find = find;
    this.#dirs = dirs;
  }

  async summary(): Promise<RunSummary> {
    try {
      return (await this.view()).run;
    } catch (error) {
      return this.#summaryOf({ error: messageOf(error) });
    }
  }

  async view(): Promise<RunView> {
    const { index, records, fault, benchmark } = await this.#load();
    const domain = records.values().find(({ known }) => known !== null)?.known
      ?.task.domain;
    const world = domain === undefined ? benchmark : `${benchmark} ${domain}`;
    const run = this.#summaryOf({
      error: fault,
      data: world,
      world,
      ...index.counts(),
      pass1Of: "all tasks",
    });
    return { run, curves: [], config: null, tasks: index.taskScores() };
  }

  async tasks(): Promise<TaskTable> {
    const tasks = (await this.index()).taskScores();
    return { run: this.id, source: null, fingerprint: null, tasks };
  }

  async advisories(): Promise<Advisory[]> {
    const tally = await (await this.index()).tally();
    return advisoriesOf({ lines: [], tally, dataset: null });
  }

  timeline(): Promise<StepTimeline> {
    return Promise.reject(
      new ViewerFault(
        "unknown",
        "Result files do not record the times of episodes",
      ),
    );
  }

  async index(): Promise<EpisodeIndex> {
    return (await this.#load()).index;
  }

  async episode(id: number): Promise<EpisodeView> {
    const { records, index, benchmark } = await this.#load();
    const loaded = records.get(id);
    const row = index.row(id);
    if (loaded === undefined || row === undefined) {
      throw new ViewerFault("unknown", `"${this.path}" has no episode ${id}`);
    }
    const { record, known } = loaded;
    return await viewEpisode({
      run: this.id,
      row,
      stored: {
        rewardDetail: record.reward,
        failure: record.failure,
        findings: null,
        usage: null,
        retries: 0,
        startedAtMs: 0,
        tokens: 0,
      },
      group: index.group(row, { allSteps: true }),
      partsOf: (other) => records.get(other)?.record ?? record,
      world: () => Promise.resolve(this.#worldOf(known, benchmark)),
      ...(known === null ? {} : { known: known.task }),
      task: record.instruction === null ? null : {
        instruction: record.instruction,
        actions: (record.actions ?? [])
          .map(({ name, kwargs }) => callOf(name, kwargs)),
        outputs: record.outputs ?? [],
      },
      find: this.#find,
      knows: record.isDatabaseKnown ? "verdict" : "nothing",
    });
  }

  tokens(id: number): Promise<TokensView> {
    return Promise.reject(
      new ViewerFault("unknown", `Episode ${id} has no tokens in this file`),
    );
  }

  [Symbol.dispose](): void {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    void loaded?.then(({ index, db }) => {
      index.stop();
      db.close();
    }, () => {});
  }

  #worldOf(
    known: KnownTask | null,
    benchmark: ResultsFile["benchmark"],
  ): World {
    if (known !== null) return { dataset: known.dataset, note: null };
    const note = this.#directory(benchmark) === undefined
      ? `A result file does not record the database; pass --${benchmark} DIR to see it`
      : `Cannot find this task in the file or in ${benchmark}'s data, so the database is not shown`;
    return { dataset: null, note };
  }

  /** Returns the file's current content. Reads the file again if it has changed. */
  async #load(): Promise<Loaded> {
    const stamp = await stampOf(this.path);
    if (stamp !== this.#stamp) this[Symbol.dispose]();
    this.#stamp = stamp;
    return await (this.#loaded ??= this.#read());
  }

  async #read(): Promise<Loaded> {
    const file = openResults(await Deno.readFile(this.path), this.path);
    const tasks = await this.#tasksOf(file);
    const records = new Map(
      file.records.map((record) => [
        record.number,
        { record, known: tasks.get(record.number) ?? null },
      ]),
    );
    const db = new DatabaseSync(":memory:");
    insert(db, [...records.values()].map(rowOf));
    const index = new EpisodeIndex({
      db,
      textOf: (id) => textOf(records.get(id)?.record),
    });
    index.refresh();
    const { fault, benchmark } = file;
    return { records, fault, benchmark, db, index };
  }

  /** Returns the tasks of the records, or an empty map if the benchmark's dataset is not available. */
  async #tasksOf(file: ResultsFile): Promise<KnownTasks> {
    const directory = this.#directory(file.benchmark);
    if (directory === undefined) return new Map();
    try {
      return await file.tasksIn(directory);
    } catch (error) {
      // The conversations can be shown without the tasks.
      if (error instanceof DataError || error instanceof ConfigError) {
        return new Map();
      }
      throw error;
    }
  }

  #directory(benchmark: ResultsFile["benchmark"]): string | undefined {
    const { tauBench, tau3Bench } = this.#dirs;
    return benchmark === "tau3-bench" ? tau3Bench : tauBench;
  }

  #summaryOf(known: Partial<RunSummary>): RunSummary {
    return {
      ...UNKNOWN_RUN,
      id: this.id,
      path: this.path,
      kind: "results",
      ...known,
    };
  }
}

function rowOf({ record, known }: LoadedRecord): EpisodeRow {
  const { reward, failure } = record;
  const isOurs = known !== null && !known.isRecorded;
  return {
    ...unknownFields(),
    id: record.number,
    step: record.trial,
    source: "trial",
    group: record.task,
    task: known?.task.id ?? `task ${record.task}`,
    split: isOurs ? known.task.split : "",
    reward: reward?.value ?? null,
    stop: record.stop,
    failure: failure?.kind ?? null,
    reason: reward !== null && reward.missingOutputs.length > 0
      ? "missing_output"
      : null,
    turns: record.turns.length,
  };
}

function insert(db: DatabaseSync, rows: readonly EpisodeRow[]): void {
  db.exec(`CREATE TEMP TABLE all_episodes (${FACT_DEFINITIONS})`);
  const names = FACT_COLUMNS.map((name) => `"${name}"`).join(", ");
  const marks = FACT_COLUMNS.map(() => "?").join(", ");
  const statement = db.prepare(
    `INSERT INTO temp.all_episodes (${names}) VALUES (${marks})`,
  );
  for (const row of rows) {
    const facts = row as unknown as Record<string, string | number | null>;
    statement.run(...FACT_COLUMNS.map((name) => facts[name] ?? null));
  }
}

function textOf(record: ResultEpisode | undefined): string {
  if (record === undefined) return "";
  return messagesOf(record.messages, turnsOf(record.turns)).map((message) =>
    [
      message.content,
      ...message.calls.flatMap((call) => [call.name, ...call.arguments.flat()]),
    ].join("\n")
  ).join("\n");
}

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtime, ino } = await Deno.stat(path);
    return `${ino} ${size} ${mtime?.getTime()}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ViewerFault(
      "gone",
      `The file "${path}" is gone: it was moved or deleted`,
      { cause: error },
    );
  }
}
