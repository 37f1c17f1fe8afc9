/**
 * Chosen episodes as one HTML file that opens anywhere, without a server: the page's own modules and sheet, and the
 * data compressed within.
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

/** Which episodes go into a file. */
export interface ExportChoice {
  /** By their ids, in this order; otherwise those that the filter keeps. */
  readonly ids?: readonly number[] | undefined;
  /** As the page's query string has it. */
  readonly filter: URLSearchParams;
  /** Most episodes, of all runs together. */
  readonly limit: number;
  /** Whether their tokens go with them. */
  readonly withTokens: boolean;
}

/** What {@linkcode collect} reports on. */
export interface ExportOptions extends ExportChoice {
  readonly version: string;
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
  readonly onEpisode?: (count: number) => void;
}

/**
 * Collects the chosen episodes of all runs of the library.
 * @throws {ViewerFault} If an episode that was named is in none of them.
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
  checkFound(episodes, options);
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

/** The file. */
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
  // Base64 has no character that HTML reads.
  const packed = gzipSync(JSON.stringify(data), { level: 9 })
    .toString("base64");
  const { text: page } = await readPageFile("index.html");
  // Functions, since a string's `$` has a meaning.
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

/** A module's imports of its siblings; they name what they take, without another name. */
const IMPORT = /^import \{[^}]*\} from "\.\/\w+\.js";$/gm;

/**
 * The page's modules as one: each after those that it imports, their names being different. Nothing else is
 * changed, so a file shows just what the server's page shows.
 */
export async function linkModules(): Promise<string> {
  const parts = await Promise.all(PAGE_MODULES.map(async (name) => {
    const { text } = await readPageFile(name);
    const body = text.replace(IMPORT, "").replace(/^export /gm, "");
    const isLinked = !/^(import|export)\b/m.test(body) &&
      !/<\/script|<!--/i.test(body);
    if (isLinked) return body;
    throw new TypeError(
      `Cannot put ${name} into a file: it imports or exports in another way than by names, or holds markup`,
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
  // A search finds all only once all is indexed.
  if (query.text !== "") await index.indexed();
  return [...(await index.ids(query)).subarray(0, left)];
}

/** @throws {ViewerFault} If an episode was named and not found. */
function checkFound(
  episodes: readonly EpisodeView[],
  { ids, limit }: ExportOptions,
): void {
  const found = new Set(episodes.map(({ row }) => row.id));
  const missing = (ids ?? []).slice(0, limit).filter((id) => !found.has(id));
  if (missing.length === 0) return;
  throw new ViewerFault(
    "unknown",
    `There is no episode ${missing.join(", ")} in what was named`,
  );
}

async function sha256Base64(text: string): Promise<string> {
  const digest = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  return new Uint8Array(digest).toBase64();
}
