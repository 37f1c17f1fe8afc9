/** A run as a notebook looks into it: what it was, its metrics, its episodes with their tasks and tokens. */

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

/** Which episodes are meant; default: all. */
export interface EpisodeFilter {
  /** `rl`, `eval/dev/sampled`, `eval/test/greedy`. */
  readonly source?: string;
  readonly step?: number;
}

/** A run that is looked into. Its files stay open, and are only read, until it is disposed of. */
export class Run implements Disposable {
  /** The name of its directory. */
  readonly name: string;
  readonly path: string;
  readonly info: RunInfo;
  /** The lines of its metrics; none where it is an evaluation. */
  readonly lines: readonly AnyMetrics[];
  /** What of the metrics cannot be read and is left out, a clause each. */
  readonly damaged: readonly string[];
  /** Its own tokenizer; `null` where it has none. */
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
   * Opens a training run or an evaluation, finished or not.
   * @param options Where a benchmark's data are now; default: where they were.
   * @throws {ConfigError} If there is no such run, or its data are not where it says.
   * @throws {RunDirError} If it is damaged, of another version, or used another dataset.
   */
  static async open(
    path: string,
    options: BenchmarkDirs = {},
  ): Promise<Run> {
    const episodes = await openRunEpisodes(path, options);
    const isTraining = episodes.info.kind === "train";
    const files = await readRunTokenizer(path, {
      wayOut: "restore it from a copy of the run",
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

  /** The data that it ran on. */
  get dataset(): Dataset {
    return this.#episodes.dataset;
  }

  /** Its episodes in the order in which they ended. */
  episodes(filter: EpisodeFilter = {}): RunEpisode[] {
    return this.#episodes.list(filter);
  }

  /** The last evaluation of a source, and nothing of those before it. */
  lastEpisodes(source: string): RunEpisode[] {
    const all = this.episodes({ source });
    const last = Math.max(...all.map(({ record }) => record.step));
    return all.filter(({ record }) => record.step === last);
  }

  /** What a person should look at in it, each with its evidence and the filter that finds its episodes. */
  advisories(): Advisory[] {
    const { lines, dataset } = this;
    return advisoriesOf({ lines, dataset, tally: this.#episodes.tally() });
  }

  /** The tokens of an episode; `null` where its model does not work on tokens, or the run does not keep them. */
  trajectory(episode: RunEpisode): Trajectory | null {
    return episode.trajectory();
  }

  /** What it was, and what it kept. */
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

  /** As {@linkcode Run.show}, where a cell ends in it. */
  [Symbol.for("Jupyter.display")](): MimeBundle {
    return this.show().bundle();
  }

  /** Lets go of its files. */
  [Symbol.dispose](): void {
    this.#episodes[Symbol.dispose]();
  }
}

function rangeText(steps: readonly number[]): string {
  const all = [...new Set(steps)].sort((a, b) => a - b);
  if (all.length <= 3) return all.join(", ");
  return `${all.length} of ${all[0]}–${all.at(-1)}`;
}
