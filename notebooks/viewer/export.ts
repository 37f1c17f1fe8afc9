/**
 * Exports episodes as a single HTML file that opens without a server. It contains the page's modules and style sheet,
 * and the compressed data.
 */

import { gzipSync } from "node:zlib";
import type { Advisory } from "../../train/diagnosis/advisories.ts";
import type { Library } from "./library.ts";
import { readQuery } from "./page/filter.js";
import { PAGE_MODULES, readPageFile } from "./page_files.ts";
import type {
  EpisodeView,
  ExportedData,
  RunView,
  TaskTable,
  TokensView,
} from "./protocol.ts";
import { type EpisodeSource, ViewerFault } from "./viewer_source.ts";

/** A choice of episodes to export. */
export interface ExportChoice {
  /** The ids of the episodes, in the order of the export. Default: the episodes that match the filter. */
  readonly ids?: readonly number[] | undefined;
  /** The filter, as in the page's query string. */
  readonly filter: URLSearchParams;
  /** The maximum number of episodes, across all runs. */
  readonly limit: number;
  /** Whether to include tokens. */
  readonly withTokens: boolean;
}

/** Options for {@linkcode collect}. */
export interface ExportOptions extends ExportChoice {
  readonly version: string;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
  readonly onEpisode?: (count: number) => void;
}

/**
 * Collects the chosen episodes, up to the limit, from all runs of the library.
 * @throws {ViewerFault} If an episode that was chosen by its id is not in any of the runs.
 */
export async function collect(
  library: Library,
  options: ExportOptions,
): Promise<ExportedData> {
  const runs: RunView[] = [];
  const tasks: Record<string, TaskTable> = {};
  const advisories: Record<string, readonly Advisory[]> = {};
  const episodes: EpisodeView[] = [];
  const tokens: Record<string, TokensView> = {};
  for (const source of library.sources) {
    const left = options.limit - episodes.length;
    const ids = await choose(source, options, left);
    if (ids.length > 0) {
      runs.push(await source.view());
      tasks[source.id] = await source.tasks();
      advisories[source.id] = await source.advisories();
    }
    for (const id of ids) {
      options.signal?.throwIfAborted();
      const episode = await source.episode(id);
      episodes.push(episode);
      if (options.withTokens && episode.hasTokens) {
        tokens[`${source.id}/${id}`] = await source.tokens(id);
      }
      options.onEpisode?.(episodes.length);
    }
  }
  checkFound(episodes, { ...options, runs: library.sources.length });
  return {
    exportedAt: options.now.toISOString(),
    version: options.version,
    runs,
    tasks,
    advisories,
    episodes: episodes.map((episode) => ({
      ...episode,
      hasTokens: `${episode.run}/${episode.row.id}` in tokens,
    })),
    tokens,
  };
}

/** Returns the HTML of the exported file. */
export async function exportedPage(data: ExportedData): Promise<string> {
  const [script, style] = await Promise.all([
    linkModules(),
    readPageFile("style.css").then(({ text }) => text),
  ]);
  const [scriptHash, styleHash] = await Promise.all(
    [script, style].map(sha256Base64),
  );
  const policy =
    `default-src 'none'; script-src 'sha256-${scriptHash}'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'`;
  // Base64 contains no characters that are special in HTML.
  const packed = gzipSync(JSON.stringify(data), { level: 9 })
    .toString("base64");
  const { text: page } = await readPageFile("index.html");
  // Functions, since `$` is special in a replacement string.
  return page
    .replace(/ *<(?:link|script).*\n/g, "")
    .replace(
      '<meta name="viewport"',
      (tag) =>
        `<meta http-equiv="Content-Security-Policy" content="${policy}">\n    ${tag}`,
    )
    .replace("  </head>", (tag) => `<style>${style}</style>\n${tag}`)
    .replace(
      "  </body>",
      (tag) =>
        `<script type="application/gzip" id="taulab-data">${packed}</script>
<script type="module">${script}</script>\n${tag}`,
    );
}

/** Matches the imports of sibling modules. The page's modules use only named imports, without renaming. */
const IMPORT = /^import \{[^}]*\} from "\.\/\w+\.js";$/gm;

/**
 * Joins the page's modules into a single module. Each module comes after the modules that it imports, and their
 * top-level names must be distinct. Nothing else is changed, so an exported file behaves like the served page.
 */
export async function linkModules(): Promise<string> {
  const parts = await Promise.all(PAGE_MODULES.map(async (name) => {
    const { text } = await readPageFile(name);
    const body = text.replace(IMPORT, "").replace(/^export /gm, "");
    const isLinked = !/^(import|export)\b/m.test(body) &&
      !/<\/script|<!--/i.test(body);
    if (isLinked) return body;
    throw new TypeError(
      `Cannot export ${name}: it has an import or export that is not named, or contains markup`,
    );
  }));
  return parts.join("\n");
}

async function choose(
  source: EpisodeSource,
  { ids, filter }: ExportChoice,
  left: number,
): Promise<number[]> {
  if (left <= 0) return [];
  const index = await source.index();
  if (ids !== undefined) {
    return ids.filter((id) => index.row(id) !== undefined).slice(0, left);
  }
  const query = readQuery(filter);
  // A search is complete only once all texts are indexed.
  if (query.text !== "") await index.indexed();
  return [...(await index.ids(query)).subarray(0, left)];
}

/**
 * Checks that all episodes that were chosen by id were found.
 * @throws {ViewerFault} If an episode was not found.
 */
function checkFound(
  episodes: readonly EpisodeView[],
  { ids, limit, runs }: ExportOptions & { readonly runs: number },
): void {
  const found = new Set(episodes.map(({ row }) => row.id));
  const missing = (ids ?? []).slice(0, limit).filter((id) => !found.has(id));
  if (missing.length === 0) return;
  throw new ViewerFault(
    "unknown",
    `${runs === 1 ? "The run has" : "The runs have"} no ${
      missing.length === 1 ? "episode" : "episodes"
    } ${missing.join(", ")}`,
  );
}

async function sha256Base64(text: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  return new Uint8Array(digest).toBase64();
}
