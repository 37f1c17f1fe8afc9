/** A result file of τ-bench as the viewer sees it: each task is a group, each trial an episode. */

import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataError, messageOf } from "../../env/errors.ts";
import {
  readResultFile,
  resultFaults,
  type ResultRecord,
} from "../../env/benchmarks/tau/results/result_file.ts";
import {
  datasetsIn,
  type KnownTask,
  tasksOfRecords,
} from "../../env/benchmarks/tau/results/result_tasks.ts";
import type { Dataset } from "../../env/types.ts";
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
  noEpisode,
  UNKNOWN_RUN,
  ViewerFault,
} from "./viewer_source.ts";
import type { World } from "./world_view.ts";

interface Loaded {
  /** By their position in the file, which is the episode's id. */
  readonly records: ReadonlyMap<number, LoadedRecord>;
  /** What could not be read, in a sentence; `null` where all could. */
  readonly fault: string | null;
  readonly db: DatabaseSync;
  readonly index: EpisodeIndex;
}

interface LoadedRecord {
  readonly record: ResultRecord;
  /** `null` where τ-bench's data are not at hand, or neither they nor the file have the task. */
  readonly known: KnownTask | null;
}

/** A result file. */
export class ResultsSource implements EpisodeSource {
  readonly id: string;
  readonly path: string;
  readonly #find: EpisodeFinder;
  readonly #tauBench: string | undefined;
  #loaded: Promise<Loaded> | undefined;
  #stamp = "";

  constructor(
    path: string,
    { id, find, tauBench }: {
      id?: string;
      find: EpisodeFinder;
      tauBench?: string | undefined;
    },
  ) {
    this.path = path;
    this.id = id ?? basename(path);
    this.#find = find;
    this.#tauBench = tauBench;
  }

  async summary(): Promise<RunSummary> {
    try {
      return (await this.view()).run;
    } catch (error) {
      return this.#summaryOf({ error: messageOf(error) });
    }
  }

  async view(): Promise<RunView> {
    const { index, records, fault } = await this.#load();
    const domain = records.values().find(({ known }) => known !== null)?.known
      ?.task.domain;
    const world = domain === undefined ? "tau-bench" : `tau-bench ${domain}`;
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
      new ViewerFault("unknown", "A result file has no times of its episodes"),
    );
  }

  async index(): Promise<EpisodeIndex> {
    return (await this.#load()).index;
  }

  async episode(id: number): Promise<EpisodeView> {
    const { records, index } = await this.#load();
    const loaded = records.get(id);
    const row = index.row(id);
    if (loaded === undefined || row === undefined) {
      throw noEpisode(this.path, id);
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
      world: () => Promise.resolve(this.#worldOf(known)),
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

  #worldOf(known: KnownTask | null): World {
    if (known !== null) return { dataset: known.dataset, note: null };
    const note = this.#tauBench === undefined
      ? "A result file does not say what became of the database; name tau-bench's data by --tau-bench DIR to see it"
      : "Neither tau-bench's data nor the file have this task, so the database is not shown";
    return { dataset: null, note };
  }

  /** The file as it is by now. */
  async #load(): Promise<Loaded> {
    const stamp = await stampOf(this.path);
    if (stamp !== this.#stamp) this[Symbol.dispose]();
    this.#stamp = stamp;
    return await (this.#loaded ??= this.#read());
  }

  async #read(): Promise<Loaded> {
    const file = readResultFile(await Deno.readFile(this.path), this.path);
    const tasks = tasksOfRecords(file.records, await this.#datasets());
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
    return { records, fault: resultFaults(file), db, index };
  }

  /** The datasets of the directory, as far as they can be read. */
  async #datasets(): Promise<Dataset[]> {
    const dir = this.#tauBench;
    if (dir === undefined) return [];
    try {
      return await datasetsIn(dir);
    } catch (error) {
      if (error instanceof DataError) return []; // the conversations are shown all the same
      throw error;
    }
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

function textOf(record: ResultRecord | undefined): string {
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
      `The file "${path}" is gone; it was moved or deleted`,
      { cause: error },
    );
  }
}
