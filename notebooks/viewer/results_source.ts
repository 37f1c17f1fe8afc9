/** A result file of τ-bench as the viewer sees it: each task is a group, each trial an episode. */

import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DataError, messageOf } from "../../env/errors.ts";
import { domainsIn, loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import { equalityKey } from "../../env/python/python_object.ts";
import type { Dataset, Task } from "../../env/types.ts";
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
  TokensView,
} from "./protocol.ts";
import { readResults, type ResultRecord } from "./results_records.ts";
import {
  type EpisodeSource,
  noEpisode,
  UNKNOWN_RUN,
  ViewerFault,
} from "./viewer_source.ts";
import type { World } from "./world_view.ts";

interface Loaded {
  readonly records: readonly ResultRecord[];
  /** By record; `null` where τ-bench's data are not at hand or have no such task. */
  readonly tasks: readonly (Known | null)[];
  readonly db: DatabaseSync;
  readonly index: EpisodeIndex;
}

interface Known {
  readonly dataset: Dataset;
  readonly task: Task;
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
    const { index, tasks } = await this.#load();
    const domain = tasks.find((known) => known !== null)?.task.domain;
    const run = this.#summaryOf({
      data: domain === undefined ? "tau-bench" : `tau-bench ${domain}`,
      ...index.counts(),
      pass1Of: "all tasks",
    });
    return { run, curves: [] };
  }

  async index(): Promise<EpisodeIndex> {
    return (await this.#load()).index;
  }

  async episode(id: number): Promise<EpisodeView> {
    const { records, index, tasks } = await this.#load();
    const record = records[id - 1];
    const row = index.row(id);
    if (record === undefined || row === undefined) {
      throw noEpisode(this.path, id);
    }
    const known = tasks[id - 1] ?? null;
    return await viewEpisode({
      run: this.id,
      row,
      stored: {
        rewardDetail: record.reward,
        failure: null,
        findings: null,
        usage: null,
        retries: 0,
        startedAtMs: 0,
        tokens: 0,
      },
      group: index.group(row, { allSteps: true }),
      partsOf: (other) => records[other - 1] ?? record,
      world: () => Promise.resolve(this.#worldOf(known)),
      task: record.instruction === null ? null : {
        instruction: record.instruction,
        actions: record.actions.map(({ name, kwargs }) => callOf(name, kwargs)),
        outputs: record.outputs,
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

  #worldOf(known: Known | null): World {
    if (known !== null) return { dataset: known.dataset, note: null };
    const note = this.#tauBench === undefined
      ? "A result file does not say what became of the database; name tau-bench's data by --tau-bench DIR to see it"
      : "tau-bench's data have no task like this one, so the database is not shown";
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
    const records = readResults(await Deno.readFile(this.path), this.path);
    const match = matcher(await this.#datasets());
    const tasks = records.map(match);
    const rows = records.map((record, i) =>
      rowOf(record, i + 1, tasks[i]?.task ?? null)
    );
    const db = new DatabaseSync(":memory:");
    insert(db, rows);
    const index = new EpisodeIndex({
      db,
      textOf: (id) => textOf(records[id - 1]),
    });
    index.refresh();
    return { records, tasks, db, index };
  }

  /** The datasets of the directory, as far as they can be read. */
  async #datasets(): Promise<Dataset[]> {
    const dir = this.#tauBench;
    if (dir === undefined) return [];
    const loaded = await Promise.all(
      (await domainsIn(dir)).map(async (domain) => {
        try {
          return await loadTauBench(dir, domain);
        } catch (error) {
          if (error instanceof DataError) return null; // one of them is enough
          throw error;
        }
      }),
    );
    return loaded.filter((dataset) => dataset !== null);
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

/** Finds a record's task by what it says of it: a file does not name its split, nor its domain. */
function matcher(
  datasets: readonly Dataset[],
): (record: ResultRecord) => Known | null {
  const byActions = new Map<string, Known[]>();
  for (const dataset of datasets) {
    for (
      const task of dataset.splits.flatMap((split) => dataset.tasks(split))
    ) {
      const key = keyOf(
        task.index,
        task.actions.map(({ name, arguments: kwargs }) => ({ name, kwargs })),
      );
      byActions.set(key, [...byActions.get(key) ?? [], { dataset, task }]);
    }
  }
  return ({ task, actions, instruction }) => {
    const alike = byActions.get(keyOf(task, actions)) ?? [];
    const same = alike.filter((known) =>
      instruction === null || known.task.instruction === instruction
    );
    return same.length === 1 ? same[0]! : null;
  };
}

function keyOf(
  index: number,
  actions: ResultRecord["actions"],
): string {
  const words = actions.map(({ name, kwargs }) =>
    `${name} ${equalityKey(kwargs)}`
  );
  return [index, ...words].join("\n");
}

function rowOf(
  record: ResultRecord,
  id: number,
  task: Task | null,
): EpisodeRow {
  return {
    ...unknownFields(),
    id,
    step: record.trial,
    source: "trial",
    group: record.task,
    task: task?.id ?? `task ${record.task}`,
    split: task?.split ?? "",
    reward: record.reward.value,
    stop: record.stop,
    reason: record.reward.missingOutputs.length > 0 ? "missing_output" : null,
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
