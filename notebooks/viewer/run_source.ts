/**
 * Implements a source that shows the run dir of a finished run or of a run in progress. It never writes to the
 * directory.
 */

import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { inflateSync } from "node:zlib";
import { DataError, messageOf, RunDirError } from "../../env/errors.ts";
import type { Tokenizer } from "../../env/tokens/tokenizer.ts";
import { fieldColumns } from "../../train/runs/episode_facts.ts";
import type { BenchmarkDirs } from "../../train/config/open_dataset.ts";
import {
  advisoriesOf,
  type Advisory,
} from "../../train/diagnosis/advisories.ts";
import type { AnyMetrics } from "../../train/runs/metrics.ts";
import { outcomeNow } from "../../train/runs/run_lock.ts";
import { EpisodeStore } from "../../train/runs/episode_store.ts";
import { plainText, readObjects } from "./conversation_view.ts";
import { type EpisodeFeed, EpisodeIndex } from "./episode_index.ts";
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
import { readShownConfig } from "./run_config.ts";
import { curvesOf, lastPass, readMetrics, readRunJson } from "./run_files.ts";
import {
  type EpisodeSource,
  isDatabaseDamage,
  noEpisode,
  UNKNOWN_RUN,
  ViewerFault,
} from "./viewer_source.ts";
import { stepTimeline } from "./step_timeline.ts";
import { openTokenizer, tokensView } from "./tokens_view.ts";
import { openWorld, type World } from "./world_view.ts";

/** Options for {@linkcode RunSource}. */
export interface RunSourceOptions extends BenchmarkDirs {
  readonly id?: string;
  readonly find: EpisodeFinder;
}

/** The open `episodes.db` of a run. */
interface Opened {
  readonly file: string;
  readonly db: DatabaseSync;
  readonly store: EpisodeStore;
  readonly index: EpisodeIndex;
  dataVersion: number;
  /** The run's last episode when the index was last refreshed. */
  last: EpisodeRow | undefined;
}

/** A run dir, opened read-only. */
export class RunSource implements EpisodeSource {
  readonly id: string;
  readonly path: string;
  readonly #options: RunSourceOptions;
  #opened: Opened | undefined;
  #world: Promise<World> | undefined;
  #tokenizer: Promise<Tokenizer | null> | undefined;

  constructor(path: string, options: RunSourceOptions) {
    this.path = path;
    this.id = options.id ?? basename(path);
    this.#options = options;
  }

  async summary(): Promise<RunSummary> {
    try {
      return (await this.view()).run;
    } catch (error) {
      const message = messageOf(error);
      return { ...UNKNOWN_RUN, id: this.id, path: this.path, error: message };
    }
  }

  async view(): Promise<RunView> {
    const info = await readRunJson(this.path);
    const { lines, error } = await readMetrics(this.path);
    const curves = curvesOf(lines);
    const last = (key: string) =>
      curves.find((curve) => curve.key === key)?.points.at(-1)?.[1] ?? null;
    const index = info.kind === "train" ? null : await this.#indexIfThere();
    const counts = index?.counts() ?? null;
    const config = await readShownConfig(this.path);
    const pass = lastPass(curves);
    const run: RunSummary = {
      ...UNKNOWN_RUN,
      id: this.id,
      path: this.path,
      kind: info.kind,
      trainer: info.trainer ?? null,
      outcome: info.outcome == null
        ? null
        : await outcomeNow(this.path, { ...info, outcome: info.outcome }),
      data: info.dataset?.name ?? null,
      world: config.world ?? info.dataset?.name ?? null,
      agent: config.agent,
      model: config.model,
      seed: info.seed ?? null,
      startedAt: info.startedAt ?? null,
      endedAt: info.endedAt ?? null,
      version: info.version ?? null,
      commit: info.commit ?? null,
      steps: lines.at(-1)?.step ?? null,
      episodes: counts?.episodes ?? this.#opened?.index.total ??
        countIn(lines),
      pass1: counts?.pass1 ?? pass?.value ?? null,
      pass1Of: counts === null ? pass?.of ?? null : "all tasks",
      reward: counts?.reward ?? last("rl.reward") ?? last("run.reward"),
      error,
    };
    const tasks = index?.taskScores() ?? null;
    return { run, curves, config: config.text, tasks };
  }

  async tasks(): Promise<TaskTable> {
    const info = await readRunJson(this.path);
    const { lines } = await readMetrics(this.path);
    // The same episodes as the run's pass^1 in the list.
    const source = info.kind === "train"
      ? lastPass(curvesOf(lines))?.source ?? null
      : null;
    const index = await this.#indexIfThere();
    return {
      run: this.id,
      source,
      fingerprint: info.dataset?.fingerprint ?? null,
      tasks: index?.taskScores(source ?? undefined) ?? [],
    };
  }

  async advisories(): Promise<Advisory[]> {
    const { lines } = await readMetrics(this.path);
    const tally = await (await this.#indexIfThere())?.tally() ?? null;
    // The dataset is only needed for its tools.
    const isAsked = tally !== null && tally.inWindow.tools !== null;
    const dataset = isAsked ? (await this.#openWorld()).dataset : null;
    const known = lines as readonly unknown[] as readonly AnyMetrics[];
    return advisoriesOf({ lines: known, tally, dataset });
  }

  async timeline(step?: number): Promise<StepTimeline> {
    const { store } = await this.#open();
    const { lines } = await readMetrics(this.path);
    return await this.#telling(() => stepTimeline(store, { lines, step }));
  }

  async index(): Promise<EpisodeIndex> {
    const { index } = await this.#open();
    return index;
  }

  async episode(id: number): Promise<EpisodeView> {
    const { index, store } = await this.#open();
    const row = index.row(id);
    const stored = await this.#telling(() => store.get(id));
    if (row === undefined || stored === undefined) {
      throw noEpisode(this.path, id);
    }
    return await this.#telling(() =>
      viewEpisode({
        run: this.id,
        row,
        stored,
        group: index.group(row),
        partsOf: (other) => {
          const { messages, turns } = store.conversation(other);
          return { messages: readObjects(messages), turns: readObjects(turns) };
        },
        world: () => this.#openWorld(),
        find: this.#options.find,
      })
    );
  }

  async tokens(id: number): Promise<TokensView> {
    const { store } = await this.#open();
    if (await this.#telling(() => store.get(id)) === undefined) {
      throw noEpisode(this.path, id);
    }
    const trajectory = store.trajectory(id);
    if (trajectory === null) {
      throw new ViewerFault(
        "unknown",
        `Episode ${id} has no tokens: its model does not return them, or the run does not keep them`,
      );
    }
    // A run writes its tokenizer once, before its first episode.
    this.#tokenizer ??= openTokenizer(this.path);
    return tokensView(trajectory, await this.#tokenizer);
  }

  [Symbol.dispose](): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.index.stop();
    opened?.store[Symbol.dispose]();
    opened?.db.close();
  }

  /**
   * Opens the database of episodes, or reopens it if the file was replaced. If there are new episodes, refreshes the
   * index.
   */
  async #open(): Promise<Opened> {
    const path = join(this.path, "episodes.db");
    try {
      const file = await identityOf(path);
      // A replaced file belongs to another run.
      if (this.#opened !== undefined && this.#opened.file !== file) {
        this[Symbol.dispose]();
      }
      const opened = this.#opened ??= open(path, file);
      const dataVersion = Number(
        opened.db.prepare("PRAGMA data_version").get()?.["data_version"],
      );
      if (dataVersion !== opened.dataVersion) {
        takeIn(opened);
        opened.dataVersion = dataVersion;
      }
      return opened;
    } catch (error) {
      this[Symbol.dispose]();
      throw await this.#fault(path, error);
    }
  }

  async #telling<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await this.#fault(join(this.path, "episodes.db"), error);
    }
  }

  async #fault(path: string, error: unknown): Promise<unknown> {
    if (error instanceof ViewerFault) return error;
    if (error instanceof DataError) {
      return new ViewerFault("damaged", messageOf(error), { cause: error });
    }
    if (error instanceof RunDirError) {
      const kind = error.cause === undefined ? "newer" : "damaged";
      return new ViewerFault(kind, error.message, { cause: error });
    }
    if (error instanceof Deno.errors.NotFound) {
      await readRunJson(this.path); // throws if the whole run is gone
      return new ViewerFault(
        "gone",
        `"${path}" does not exist: the run has no episodes yet, or they were deleted`,
        { cause: error },
      );
    }
    // zlib's errors for corrupt data have codes that start with "Z_".
    const isDamage = isDatabaseDamage(error) ||
      (error as { code?: string }).code?.startsWith("Z_");
    if (!isDamage) return error;
    return new ViewerFault(
      "damaged",
      `"${path}" is damaged: ${
        (error as Error).message
      }; restore it from a backup, or recover the remaining rows with sqlite3's .recover`,
      { cause: error },
    );
  }

  async #openWorld(): Promise<World> {
    const info = await readRunJson(this.path);
    return await (this.#world ??= openWorld(this.path, {
      fingerprint: info.dataset?.fingerprint ?? null,
      dirs: this.#options,
    }));
  }

  /** Returns the index of episodes, or `null` if the run has none yet. */
  async #indexIfThere(): Promise<EpisodeIndex | null> {
    try {
      return (await this.#open()).index;
    } catch (error) {
      if (error instanceof ViewerFault && error.kind === "gone") return null;
      throw error;
    }
  }
}

function open(path: string, file: string): Opened {
  // The store is opened first because it checks the version and reports what is wrong with the file.
  const store = new EpisodeStore(path, { readOnly: true });
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    // Set first, because changing it deletes existing temporary tables.
    db.exec("PRAGMA temp_store = FILE");
    const index = new EpisodeIndex(feedOf(db));
    return { file, db, store, index, dataVersion: -1, last: undefined };
  } catch (error) {
    store[Symbol.dispose]();
    db.close();
    throw error;
  }
}

function feedOf(db: DatabaseSync): EpisodeFeed {
  const known = new Set(
    db.prepare("PRAGMA main.table_info(episodes)").all()
      .map(({ name }) => String(name)),
  );
  db.exec(
    `CREATE TEMP VIEW all_episodes AS SELECT ${
      fieldColumns(known)
    } FROM main.episodes`,
  );
  const messages = db.prepare(
    "SELECT messages FROM main.episodes WHERE id = ?",
  );
  return {
    db,
    textOf: (id) => {
      const blob = messages.get(id)?.["messages"];
      return blob instanceof Uint8Array
        ? plainText(inflateSync(blob).toString("utf8"))
        : "";
    },
  };
}

/** Indexes new episodes, or rebuilds the index if earlier episodes were replaced. */
function takeIn(opened: Opened): void {
  const { index, last } = opened;
  const still = last === undefined ? undefined : index.row(last.id);
  const isSame = last === undefined ||
    (still?.task === last.task && still.seed === last.seed &&
      still.step === last.step);
  if (!isSame) index.reset();
  index.refresh();
  opened.last = index.row(index.lastId);
}

async function identityOf(path: string): Promise<string> {
  const { dev, ino, birthtime } = await Deno.stat(path);
  return `${dev} ${ino} ${birthtime?.getTime()}`;
}

/** Counts the episodes of a training run from its metrics. */
function countIn(lines: readonly Readonly<Record<string, unknown>>[]): number {
  return lines.reduce(
    (sum, { episodes }) => sum + (typeof episodes === "number" ? episodes : 0),
    0,
  );
}
