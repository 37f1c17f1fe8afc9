/** The source of the page's data: the viewer's server or, in an exported file, the file itself. */

import { FIELDS } from "./fields.js";
import { comparer, matches, readQuery } from "./filter.js";

/** @typedef {import("../protocol.ts").RunSummary} ApiRunSummary */
/** @typedef {import("../protocol.ts").RunView} ApiRunView */
/** @typedef {import("../protocol.ts").EpisodePage} ApiEpisodePage */
/** @typedef {import("../protocol.ts").Facets} ApiFacets */
/** @typedef {import("../protocol.ts").PlacedEpisode} ApiPlacedEpisode */
/** @typedef {import("../protocol.ts").TokensView} ApiTokensView */
/** @typedef {import("../protocol.ts").ExportedData} ApiExportedData */
/** @typedef {import("../protocol.ts").EpisodeView} ApiEpisodeView */
/** @typedef {import("../protocol.ts").TaskTable} ApiTaskTable */
/** @typedef {import("../protocol.ts").Advisories} ApiAdvisories */
/** @typedef {import("../protocol.ts").StepTimeline} ApiStepTimeline */

/**
 * A value with a tag that changes whenever the value changes.
 * @template T
 * @typedef {{ value: T, tag: string }} Tagged
 */

/**
 * @typedef {object} Api
 * @property {boolean} isLive Whether the data may change over time.
 * @property {string} origin The description of the data's source in the page's footer.
 * @property {(signal: AbortSignal) => Promise<Tagged<{ runs: ApiRunSummary[] }>>} runs
 * @property {(run: string, signal: AbortSignal) => Promise<Tagged<ApiRunView>>} run
 * @property {(run: string, signal: AbortSignal) => Promise<Tagged<ApiTaskTable>>} tasks
 * @property {(run: string, signal: AbortSignal) => Promise<Tagged<ApiAdvisories>>} advisories
 * @property {(run: string, step: number | null, signal: AbortSignal) => Promise<Tagged<ApiStepTimeline>>} timeline
 * @property {(run: string, query: URLSearchParams, stretch: { offset: number, limit: number }, signal: AbortSignal) => Promise<Tagged<ApiEpisodePage>>} episodes
 * @property {(run: string, query: URLSearchParams, signal: AbortSignal) => Promise<Tagged<ApiFacets>>} facets
 * @property {(run: string, id: number, query: URLSearchParams, signal: AbortSignal) => Promise<Tagged<ApiPlacedEpisode>>} episode
 * @property {(run: string, id: number, signal: AbortSignal) => Promise<Tagged<ApiTokensView>>} tokens
 */

/** Thrown if something cannot be shown. The page displays the message. */
export class Problem extends Error {
  /** @override @type {string} */
  name = "Problem";
  /**
   * @param {string} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Creates the API of the viewer's server.
 * @returns {Api}
 */
export function serverApi() {
  const at = (/** @type {string} */ run) =>
    `/api/runs/${encodeURIComponent(run)}`;
  return {
    isLive: true,
    origin: "",
    runs: (signal) => getJson("/api/runs", signal),
    run: (run, signal) => getJson(at(run), signal),
    tasks: (run, signal) => getJson(`${at(run)}/tasks`, signal),
    advisories: (run, signal) => getJson(`${at(run)}/advisories`, signal),
    timeline: (run, step, signal) =>
      getJson(
        `${at(run)}/timeline${step === null ? "" : `?step=${step}`}`,
        signal,
      ),
    episodes: (run, query, { offset, limit }, signal) =>
      getJson(
        `${at(run)}/episodes?${withStretch(query, offset, limit)}`,
        signal,
      ),
    facets: (run, query, signal) =>
      getJson(`${at(run)}/facets?${query}`, signal),
    episode: (run, id, query, signal) =>
      getJson(`${at(run)}/episodes/${id}?${query}`, signal),
    tokens: (run, id, signal) =>
      getJson(`${at(run)}/episodes/${id}/tokens`, signal),
  };
}

/**
 * @param {URLSearchParams} query
 * @param {number} offset
 * @param {number} limit
 */
function withStretch(query, offset, limit) {
  const params = new URLSearchParams(query);
  params.set("offset", String(offset));
  params.set("limit", String(limit));
  return params;
}

/**
 * @template T
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<Tagged<T>>}
 */
async function getJson(path, signal) {
  let response;
  try {
    response = await fetch(path, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new Problem(
      "offline",
      "The viewer does not respond: it was stopped, or the connection is lost. This page reconnects automatically",
    );
  }
  if (response.status === 401 || response.status === 403) {
    throw new Problem("refused", await response.text());
  }
  const value = await response.json();
  if (!response.ok) {
    throw new Problem(value.error.kind, value.error.message);
  }
  return { value, tag: response.headers.get("etag") ?? "" };
}

/**
 * Creates the API of an exported file.
 * @param {ApiExportedData} data
 * @returns {Api}
 */
export function fileApi(data) {
  const tag = "file";
  /** @param {string} run */
  const ofRun = (run) => data.episodes.filter((episode) => episode.run === run);
  /**
   * @param {string} run
   * @param {URLSearchParams} params
   */
  const select = (run, params) => {
    const { conditions, text, sort } = readQuery(params);
    return ofRun(run).filter((episode) =>
      matches(conditions, episode.row) && says(episode, text)
    ).map(({ row }) => row).sort(comparer(sort));
  };
  return {
    isLive: false,
    origin: `Exported ${
      data.exportedAt.slice(0, 16).replace("T", " ")
    } UTC by taulab ${data.version}`,
    runs: () =>
      Promise.resolve({
        value: { runs: data.runs.map(({ run }) => run) },
        tag,
      }),
    run: (id) => {
      const value = data.runs.find(({ run }) => run.id === id);
      if (value !== undefined) return Promise.resolve({ value, tag });
      return Promise.reject(notHere(`the run "${id}"`));
    },
    tasks: (run) => {
      const value = data.tasks?.[run];
      if (value !== undefined) return Promise.resolve({ value, tag });
      return Promise.reject(notHere(`the tasks of "${run}"`));
    },
    advisories: (run) => {
      const advisories = data.advisories?.[run] ?? [];
      return Promise.resolve({ value: { advisories }, tag });
    },
    timeline: () => Promise.reject(notHere("the times of all episodes")),
    episodes: (run, params, { offset, limit }) => {
      const rows = select(run, params);
      const total = ofRun(run).length;
      const value = {
        total,
        matched: rows.length,
        offset,
        rows: rows.slice(offset, offset + limit),
        text: { indexed: total, total },
      };
      return Promise.resolve({ value, tag });
    },
    facets: (run, params) =>
      Promise.resolve({ value: facetsOf(ofRun(run), params), tag }),
    episode: (run, id, params) => {
      const episode = ofRun(run).find(({ row }) => row.id === id);
      if (episode === undefined) {
        return Promise.reject(notHere(`episode ${id} of "${run}"`));
      }
      const rows = select(run, params);
      const at = rows.findIndex((row) => row.id === id);
      const place = {
        position: at < 0 ? null : at,
        matched: rows.length,
        previous: at < 0 ? null : rows[at - 1]?.id ?? null,
        next: at < 0 ? null : rows[at + 1]?.id ?? null,
      };
      return Promise.resolve({ value: { episode, place }, tag });
    },
    tokens: (run, id) => {
      const value = data.tokens[`${run}/${id}`];
      if (value !== undefined) return Promise.resolve({ value, tag });
      return Promise.reject(notHere("the tokens of this episode"));
    },
  };
}

/**
 * Checks whether an episode contains all words and quoted phrases of a text, ignoring case.
 * @param {ApiEpisodeView} episode
 * @param {string} text
 */
function says(episode, text) {
  if (text === "") return true;
  const said = episode.messages.map(({ content, calls }) =>
    [content, ...calls.flatMap((call) => [call.name, ...call.arguments.flat()])]
      .join("\n")
  ).join("\n").toLowerCase();
  const parts = [...text.matchAll(/"([^"]*)"?|[^\s"]+/g)];
  return parts.every(([bare, quoted]) =>
    said.includes((quoted ?? bare).toLowerCase())
  );
}

/**
 * @param {readonly ApiEpisodeView[]} episodes
 * @param {URLSearchParams} params
 * @returns {ApiFacets}
 */
function facetsOf(episodes, params) {
  const { conditions, text } = readQuery(params);
  /** @type {Record<string, { value: string | number | null, count: number }[]>} */
  const facets = {};
  const fields = Object.keys(FIELDS)
    .filter((field) => FIELDS[field]?.choice !== undefined);
  for (const field of fields) {
    const others = conditions.filter((condition) => condition.field !== field);
    /** @type {Map<string | number | null, number>} */
    const counts = new Map();
    for (const episode of episodes) {
      if (!matches(others, episode.row) || !says(episode, text)) continue;
      const value = episode.row[/** @type {"source"} */ (field)];
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    facets[field] = [...counts].map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count);
  }
  return facets;
}

/** @param {string} what */
function notHere(what) {
  return new Problem(
    "unknown",
    `This file does not contain ${what}; export the file again to include it`,
  );
}

/**
 * Reads the data of an exported file.
 * @param {string} base64 The gzipped JSON, in base64.
 * @returns {Promise<ApiExportedData>}
 */
export async function readExported(base64) {
  const bytes = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
