/**
 * The trackio tracker, over trackio's HTTP API.
 * @see gradio-app/trackio, trackio/asgi_app.py (`/api/{name}`), server.py (`bulk_log`) and table.py at 0.43.0.
 */

import { ConfigError } from "../../env/errors.ts";
import type { CallOptions } from "../../env/types.ts";
import { settingsOf } from "./settings.ts";
import type {
  OpenTracker,
  Point,
  RunEnd,
  Table,
  TrackedRun,
  Tracker,
} from "./run_tracker.ts";
import { callTracker, type TrackerServer } from "./tracker_http.ts";
import type { TrackingConfig } from "./tracking_schema.ts";

/** The header for the token in the URL that `trackio.show()` prints. */
const TOKEN_HEADER = "x-trackio-write-token";

/**
 * Creates the tracker for a trackio server.
 * @param env Reads an environment variable. Default: `Deno.env.get`.
 * @throws {ConfigError} If the server's URL is not set or not an HTTP URL.
 */
export function trackio(
  { trackioUrl }: TrackingConfig,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Tracker {
  const given = trackioUrl ?? env("TRACKIO_SERVER_URL") ?? "";
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      given === ""
        ? "The URL of the trackio server is not set"
        : "TRACKIO_SERVER_URL must be a URL that starts with http: or https:",
      {
        hint:
          "pass --set tracking.trackioUrl=http://HOST:PORT, or set TRACKIO_SERVER_URL=http://HOST:PORT",
      },
    );
  }
  const token = url.searchParams.get("write_token") ??
    env("TRACKIO_WRITE_TOKEN");
  const base = `${url.origin}${url.pathname}`;
  const server: TrackerServer = {
    title: "trackio",
    url: base.endsWith("/") ? base.slice(0, -1) : base,
    headers: token ? { [TOKEN_HEADER]: token } : {},
    credentials:
      "set TRACKIO_WRITE_TOKEN to the token in the URL that trackio.show() prints",
  };
  return {
    name: "trackio",
    startsOver: false,
    async open(run, { before, signal }) {
      const runId = before?.["runId"] ??
        crypto.randomUUID().replaceAll("-", "");
      await callTracker(server, "/version", { method: "GET", signal });
      return openRun(server, { run, runId });
    },
  };
}

/** Opens a run on a trackio server, which creates the run when it receives the first entry. */
function openRun(
  server: TrackerServer,
  { run, runId }: { readonly run: TrackedRun; readonly runId: string },
): OpenTracker {
  const config = Object.fromEntries(settingsOf(run.config));
  const log = async (
    entries: readonly { step: number; metrics: object }[],
    { signal }: CallOptions,
  ) => {
    const { project, name } = run;
    const logs = entries.map(({ step, metrics }) => ({
      project,
      run: name,
      run_id: runId,
      step,
      metrics,
      config,
      // An entry that is sent twice is logged only once.
      log_id: `${runId}-${step}-${Object.keys(metrics)[0]}`,
    }));
    const body = { args: [], kwargs: { logs, hf_token: null } };
    await callTracker(server, "/api/bulk_log", { body, signal });
  };
  return {
    link: `${server.url}/?project=${encodeURIComponent(run.project)}`,
    place: { runId },
    send: (points: readonly Point[], options) =>
      log(
        points.map(({ step, values }) => ({
          step,
          metrics: Object.fromEntries(values),
        })),
        options,
      ),
    end: ({ step, episodes }: RunEnd, options) =>
      log([{ step, metrics: { episodes: tableOf(episodes) } }], options),
  };
}

function tableOf({ columns, rows }: Table) {
  return {
    _type: "trackio.table",
    _value: rows.map((row) =>
      Object.fromEntries(columns.map((column, i) => [column, row[i]]))
    ),
  };
}
