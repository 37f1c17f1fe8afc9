/**
 * Implements the viewer's library, which contains either the named runs and result files or all runs under a directory,
 * including new runs.
 */

import { basename, isAbsolute, join } from "node:path";
import { ConfigError } from "../../env/errors.ts";
import type { BenchmarkDirs } from "../../train/config/open_dataset.ts";
import { folderNames } from "../../train/runs/storage.ts";
import type { EpisodeFinder } from "./findings.ts";
import type { RunSummary } from "./protocol.ts";
import { ResultsSource } from "./results_source.ts";
import { RunSource } from "./run_source.ts";
import { type EpisodeSource, ViewerFault } from "./viewer_source.ts";

/** Options for {@linkcode Library}. */
export interface LibraryOptions extends BenchmarkDirs {
  /** The run dirs and result files to show. If empty, all runs under `root` are shown. */
  readonly named: readonly string[];
  /** The directory that contains the runs, such as `runs`. */
  readonly root: string;
  /** A function that explains episodes. Its findings are shown first. Default: none. */
  readonly find?: EpisodeFinder;
}

/** The runs and result files that the viewer shows, keyed by id. */
export class Library implements Disposable {
  readonly #options: LibraryOptions;
  readonly #sources = new Map<string, EpisodeSource>();

  private constructor(options: LibraryOptions) {
    this.#options = options;
  }

  /**
   * Opens a library and its named sources.
   * @throws {ConfigError} If a named source does not exist.
   */
  static async open(options: LibraryOptions): Promise<Library> {
    const library = new Library(options);
    for (const name of options.named) await library.#addNamed(name);
    if (options.named.length === 0) await library.#look();
    return library;
  }

  /** Returns the summaries of all sources for the list of runs, most recent first. */
  async summaries(): Promise<RunSummary[]> {
    await this.#look();
    const all = await Promise.all(
      [...this.#sources.values()].map((source) => source.summary()),
    );
    return all.sort((a, b) =>
      (b.startedAt ?? "").localeCompare(a.startedAt ?? "") ||
      a.id.localeCompare(b.id)
    );
  }

  /** All sources of the library. */
  get sources(): readonly EpisodeSource[] {
    return [...this.#sources.values()];
  }

  /**
   * Returns the source with the given id.
   * @throws {ViewerFault} If there is no such source.
   */
  async source(id: string): Promise<EpisodeSource> {
    if (!this.#sources.has(id)) await this.#look();
    const source = this.#sources.get(id);
    if (source !== undefined) return source;
    throw new ViewerFault(
      "unknown",
      `There is no run "${id}": it was deleted, or the viewer was started with other runs`,
    );
  }

  [Symbol.dispose](): void {
    for (const source of this.#sources.values()) source[Symbol.dispose]();
    this.#sources.clear();
  }

  /** Adds new runs and closes runs that no longer exist. Does nothing if the library shows only named sources. */
  async #look(): Promise<void> {
    const { named, root } = this.#options;
    if (named.length > 0) return;
    const there = new Set(await runsUnder(root));
    for (const [id, source] of this.#sources) {
      if (there.has(id)) continue;
      source[Symbol.dispose]();
      this.#sources.delete(id);
    }
    for (const id of there) {
      if (!this.#sources.has(id)) this.#add(join(root, id), id, "run");
    }
  }

  async #addNamed(name: string): Promise<void> {
    const found = await findNamed(name, this.#options.root);
    if (found === undefined) {
      const inRoot = join(this.#options.root, name);
      throw new ConfigError(
        isAbsolute(name)
          ? `"${name}" is neither a run dir nor a result file`
          : `There is no run "${name}": neither "${name}" nor "${inRoot}" is a run dir or a result file`,
        {
          hint:
            "pass the name or the path of a run, or the path of a result file",
        },
      );
    }
    this.#add(found.path, this.#freeId(basename(found.path)), found.kind);
  }

  #add(path: string, id: string, kind: "run" | "results"): void {
    const { find = () => [], tauBench, tau3Bench } = this.#options;
    const options = { id, find, tauBench, tau3Bench };
    const source = kind === "run"
      ? new RunSource(path, options)
      : new ResultsSource(path, options);
    this.#sources.set(id, source);
  }

  /** Returns an id that is not in use. Runs in different directories may have the same name. */
  #freeId(wanted: string): string {
    for (let i = 1;; i++) {
      const id = i === 1 ? wanted : `${wanted}-${i}`;
      if (!this.#sources.has(id)) return id;
    }
  }
}

async function findNamed(
  name: string,
  root: string,
): Promise<{ path: string; kind: "run" | "results" } | undefined> {
  for (const path of [name, join(root, name)]) {
    const stat = await statIfThere(path);
    if (stat?.isFile) return { path, kind: "results" };
    if (await statIfThere(join(path, "run.json")) !== undefined) {
      return { path, kind: "run" };
    }
  }
  return undefined;
}

async function runsUnder(root: string): Promise<string[]> {
  const names = await folderNames(root);
  const runs = await Promise.all(
    names.map((name) => statIfThere(join(root, name, "run.json"))),
  );
  return names.filter((_, i) => runs[i] !== undefined).sort();
}

async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (isMissing) return undefined;
    throw error;
  }
}
