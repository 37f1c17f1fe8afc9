/**
 * Opens recorded runs for analysis, with their metrics and their episodes, including the episodes' tasks and tokens.
 */

import { basename } from "node:path";
import { createTokenizer, type Tokenizer } from "../../env/tokens/tokenizer.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import type { Dataset } from "../../env/types.ts";
import type { BenchmarkDirs } from "../../train/config/open_dataset.ts";
import {
  openRunEpisodes,
  type RunEpisode,
  type RunEpisodes,
} from "../../train/runs/run_episodes.ts";
import type { AnyMetrics } from "../../train/runs/metrics.ts";
import type { RunInfo } from "../../train/runs/run_info.ts";
import { readMetrics } from "../../train/runs/run_reader.ts";
import {
  advisoriesOf,
  type Advisory,
} from "../../train/diagnosis/advisories.ts";
import { readRunTokenizer } from "../../train/cpu/run_tokenizer.ts";
import { type MimeBundle, type Rich, titled } from "./rich.ts";
import { type Cell, table } from "./table.ts";

/** A filter that selects episodes of a run. Without fields, it selects all episodes. */
export interface EpisodeFilter {
  /** The source of the episodes, such as `rl`, `eval/dev/sampled` or `eval/test/greedy`. */
  readonly source?: string;
  readonly step?: number;
}

/** A run opened read-only. Its files stay open until it is disposed. */
export class Run implements Disposable {
  /** The name of the run, which is the name of its directory. */
  readonly name: string;
  readonly path: string;
  readonly info: RunInfo;
  /** The lines of the run's metrics. Empty for an evaluation. */
  readonly lines: readonly AnyMetrics[];
  /** Descriptions of the metrics lines and the episodes that were skipped because they cannot be read. */
  readonly damaged: readonly string[];
  /** The tokenizer that is stored with the run, or `null` if there is none. */
  readonly tokenizer: Tokenizer | null;
  readonly #episodes: RunEpisodes;

  private constructor(parts: {
    readonly episodes: RunEpisodes;
    readonly lines: readonly AnyMetrics[];
    readonly damaged: readonly string[];
    readonly tokenizer: Tokenizer | null;
  }) {
    this.#episodes = parts.episodes;
    this.lines = parts.lines;
    this.damaged = parts.damaged;
    this.tokenizer = parts.tokenizer;
    this.path = parts.episodes.path;
    this.info = parts.episodes.info;
    this.name = basename(this.path);
  }

  /**
   * Opens a training run or an evaluation, which may still be in progress.
   * @param options The directories of the benchmarks. Default: the directories that the run recorded.
   * @throws {ConfigError} If there is no such run, or its dataset is in neither the given nor the recorded directory.
   * @throws {RunDirError} If the run is damaged, is from an incompatible version, or used another dataset.
   */
  static async open(
    path: string,
    options: BenchmarkDirs = {},
  ): Promise<Run> {
    const episodes = await openRunEpisodes(path, options);
    const isTraining = episodes.info.kind === "train";
    const files = await readRunTokenizer(path, {
      hint: "restore it from a backup of the run",
    });
    const none = { lines: [], damaged: [] };
    const { lines, damaged } = isTraining ? await readMetrics(path) : none;
    return new Run({
      episodes,
      lines,
      damaged: [...damaged, ...episodes.damaged()],
      tokenizer: files === undefined ? null : createTokenizer(files, path),
    });
  }

  /** The dataset that the run used. */
  get dataset(): Dataset {
    return this.#episodes.dataset;
  }

  /** Returns the run's episodes that match the filter, in the order in which they ended. */
  episodes(filter: EpisodeFilter = {}): RunEpisode[] {
    return this.#episodes.list(filter);
  }

  /** Returns the episodes of the last evaluation with the given source. */
  lastEpisodes(source: string): RunEpisode[] {
    const all = this.episodes({ source });
    const last = Math.max(...all.map(({ record }) => record.step));
    return all.filter(({ record }) => record.step === last);
  }

  /** Returns the run's advisories, each with its evidence and a filter for its episodes. */
  advisories(): Advisory[] {
    const { lines, dataset } = this;
    return advisoriesOf({ lines, dataset, tally: this.#episodes.tally() });
  }

  /** Returns an episode's tokens, or `null` if its model does not expose tokens or the run did not keep them. */
  trajectory(episode: RunEpisode): Trajectory | null {
    return episode.trajectory();
  }

  /** Shows a summary of the run and of its stored episodes. */
  show(): Rich {
    const counts = [
      ...Map.groupBy(this.episodes(), ({ record }) => record.source),
    ].map(([source, all]) => ({
      episodes: source,
      count: all.length,
      steps: rangeText(all.map(({ record }) => record.step)),
      tasks: new Set(all.map(({ task }) => task.id)).size,
    }));
    return titled(
      `${this.name}: ${this.info.trainer} on ${this.dataset.name} ${this.dataset.domain}, ` +
        `seed ${this.info.seed}, ${this.info.outcome}` +
        this.damaged.map((what) => `; ${what}`).join(""),
      table(counts satisfies Record<string, Cell>[]),
    );
  }

  /** Returns what Jupyter displays for the run: the output of {@linkcode Run.show}. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return this.show().bundle();
  }

  /** Closes the run's files. */
  [Symbol.dispose](): void {
    this.#episodes[Symbol.dispose]();
  }
}

function rangeText(steps: readonly number[]): string {
  const all = [...new Set(steps)].sort((a, b) => a - b);
  if (all.length <= 3) return all.join(", ");
  return `${all.length} of ${all[0]}–${all.at(-1)}`;
}
