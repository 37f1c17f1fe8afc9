/**
 * The MLflow tracker, over MLflow's REST API.
 * @see MLflow's documentation of its REST API, 2.0, and `mlflow/store/artifact/mlflow_artifacts_repo.py` for the
 * proxied artifacts; `mlflow.log_table` for the format of tables.
 */

import { Buffer } from "node:buffer";
import { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import type { CallOptions } from "../../env/types.ts";
import { formatConfig } from "../config/config.ts";
import { settingsOf } from "./settings.ts";
import type {
  OpenTracker,
  Point,
  RunEnd,
  TrackedRun,
  Tracker,
} from "./run_tracker.ts";
import { TrackerError } from "./run_tracker.ts";
import { callTracker, type TrackerServer } from "./tracker_http.ts";
import type { TrackingConfig } from "./tracking_schema.ts";

/** The maximum number of metrics in a request. */
const MAX_METRICS = 1000;
/** The maximum number of parameters in a request. */
const MAX_PARAMS = 100;
const LONGEST_PARAM = 6000;

/** The name of the file with the table of episodes. */
const TABLE = "episodes.json";
/** The tag that tells MLflow which files are tables. */
const TABLES_TAG = "mlflow.loggedArtifacts";

/** MLflow's names for run outcomes. */
const STATUS = {
  completed: "FINISHED",
  interrupted: "KILLED",
  failed: "FAILED",
} as const;

const experimentSchema = z.object({
  experiment: z.object({ experiment_id: z.string() }),
});
const createdSchema = z.object({ experiment_id: z.string() });
const runSchema = z.object({
  run: z.object({
    info: z.object({
      run_id: z.string(),
      experiment_id: z.string(),
      artifact_uri: z.string(),
    }),
  }),
});

/**
 * Creates the tracker for an MLflow server.
 * @param env Reads an environment variable. Default: `Deno.env.get`.
 * @throws {ConfigError} If the server's URL is not set or not an HTTP URL.
 */
export function mlflow(
  { mlflowUrl, project }: TrackingConfig,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Tracker {
  const url = mlflowUrl ?? env("MLFLOW_TRACKING_URI");
  if (!url || !/^https?:/.test(url)) {
    throw new ConfigError(
      url
        ? `MLFLOW_TRACKING_URI must start with http: or https:, but it is "${url}"`
        : "The URL of the MLflow server is not set",
      {
        hint:
          "pass --set tracking.mlflowUrl=http://HOST:PORT, or set MLFLOW_TRACKING_URI=http://HOST:PORT",
      },
    );
  }
  const server: TrackerServer = {
    title: "MLflow",
    url: url.endsWith("/") ? url.slice(0, -1) : url,
    authorization: authorizationBy(env),
    credentials:
      "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
  };
  return {
    name: "mlflow",
    startsOver: false,
    async open(run, { before, signal }) {
      const info = await infoOf(run, { server, project, before, signal });
      const api = new OpenMlflow(server, info);
      await api.describe(run, { signal });
      return api;
    },
  };
}

function authorizationBy(
  env: (name: string) => string | undefined,
): string | undefined {
  const token = env("MLFLOW_TRACKING_TOKEN");
  if (token) return `Bearer ${token}`;
  const user = env("MLFLOW_TRACKING_USERNAME");
  if (!user) return undefined;
  const password = env("MLFLOW_TRACKING_PASSWORD") ?? "";
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

type RunInfo = z.infer<typeof runSchema>["run"]["info"];

/** Reopens the run of an earlier session on the server, or creates a new run, and returns its info. */
async function infoOf(
  run: TrackedRun,
  { server, project, before, signal }: CallOptions & {
    readonly server: TrackerServer;
    readonly project: string;
    readonly before: Readonly<Record<string, string>> | undefined;
  },
): Promise<RunInfo> {
  const earlier = before?.["runId"];
  if (earlier !== undefined) {
    const body = { run_id: earlier, status: "RUNNING" };
    await callTracker(server, API + "runs/update", { body, signal });
    const path = `${API}runs/get?run_id=${encodeURIComponent(earlier)}`;
    return await ask(runSchema, server, path, { method: "GET", signal })
      .then(({ run }) => run.info);
  }
  const experiment_id = await experimentNamed(project, { server, signal });
  const created = await ask(runSchema, server, `${API}runs/create`, {
    body: {
      experiment_id,
      run_name: run.name,
      start_time: run.startedAtMs,
      tags: Object.entries({
        "mlflow.source.name": `taulab ${run.kind}`,
        "mlflow.source.type": "LOCAL",
        "taulab.version": run.version,
        "taulab.run_dir": run.path,
        ...(run.commit === null
          ? {}
          : { "mlflow.source.git.commit": run.commit }),
      }).map(([key, value]) => ({ key, value })),
    },
    signal,
  });
  return created.run.info;
}

async function experimentNamed(
  name: string,
  { server, signal }: CallOptions & { readonly server: TrackerServer },
): Promise<string> {
  const path = `${API}experiments/get-by-name?experiment_name=${
    encodeURIComponent(name)
  }`;
  try {
    const found = await ask(experimentSchema, server, path, {
      method: "GET",
      signal,
    });
    return found.experiment.experiment_id;
  } catch (error) {
    const isMissing = error instanceof TrackerError &&
      error.message.includes("RESOURCE_DOES_NOT_EXIST");
    if (!isMissing) throw error;
  }
  const { experiment_id } = await ask(
    createdSchema,
    server,
    `${API}experiments/create`,
    { body: { name }, signal },
  );
  return experiment_id;
}

const API = "/api/2.0/mlflow/";

async function ask<T>(
  schema: z.ZodType<T>,
  server: TrackerServer,
  path: string,
  call: Parameters<typeof callTracker>[2],
): Promise<T> {
  const parsed = schema.safeParse(await callTracker(server, path, call));
  if (parsed.success) return parsed.data;
  throw new TrackerError(
    `The server at ${server.url} does not offer MLflow's REST API`,
    {
      isPassing: false,
      hint:
        "set tracking.mlflowUrl or MLFLOW_TRACKING_URI to the URL of an MLflow server, version 2 or 3",
    },
  );
}

/** Replaces the characters that MLflow does not allow in names: `question+address` becomes `question_address`. */
function keyOf(name: string): string {
  return name.replaceAll(/[^\w\-. /:]/g, "_");
}

/** A run on an MLflow server. */
class OpenMlflow implements OpenTracker {
  readonly link: string;
  readonly place: Readonly<Record<string, string>>;
  readonly #server: TrackerServer;
  readonly #info: RunInfo;

  constructor(server: TrackerServer, info: RunInfo) {
    const { experiment_id, run_id } = info;
    this.#server = server;
    this.#info = info;
    this.link = `${server.url}/#/experiments/${experiment_id}/runs/${run_id}`;
    this.place = { runId: run_id };
  }

  /**
   * Sends the config as parameters and, if the server accepts direct uploads, as a file. MLflow's parameters cannot
   * change, so the keys under `tracking`, which may change when a run is resumed, are not sent as parameters.
   */
  async describe(run: TrackedRun, { signal }: CallOptions): Promise<void> {
    const params = [...settingsOf(run.config)].map(([key, value]) => ({
      key: keyOf(key),
      value: String(value).slice(0, LONGEST_PARAM),
    })).filter(({ key }) => !key.startsWith("tracking."));
    for (let i = 0; i < params.length; i += MAX_PARAMS) {
      await this.#log({ params: params.slice(i, i + MAX_PARAMS) }, { signal });
    }
    await this.#file("config.yaml", formatConfig(run.config), { signal });
  }

  async send(
    points: readonly Point[],
    { signal }: CallOptions,
  ): Promise<void> {
    const metrics = points.flatMap(({ step, timeMs, values }) =>
      [...values].map(([name, value]) => ({
        key: keyOf(name),
        value,
        step,
        timestamp: Math.round(timeMs),
      }))
    );
    for (let i = 0; i < metrics.length; i += MAX_METRICS) {
      const some = metrics.slice(i, i + MAX_METRICS);
      await this.#log({ metrics: some }, { signal });
    }
  }

  async end(
    { outcome, timeMs, episodes }: RunEnd,
    { signal }: CallOptions,
  ): Promise<void> {
    const { columns, rows } = episodes;
    const table = JSON.stringify({ columns, data: rows });
    if (await this.#file(TABLE, table, { signal })) {
      const value = JSON.stringify([{ path: TABLE, type: "table" }]);
      await this.#log({ tags: [{ key: TABLES_TAG, value }] }, { signal });
    }
    await callTracker(this.#server, `${API}runs/update`, {
      body: {
        run_id: this.#info.run_id,
        status: STATUS[outcome],
        end_time: Math.round(timeMs),
      },
      signal,
    });
  }

  async #log(what: object, { signal }: CallOptions): Promise<void> {
    const body = { run_id: this.#info.run_id, ...what };
    await callTracker(this.#server, `${API}runs/log-batch`, { body, signal });
  }

  /**
   * Uploads a file to the run, if the server accepts direct uploads.
   * @returns `true` if the file was uploaded.
   */
  async #file(
    name: string,
    body: string,
    { signal }: CallOptions,
  ): Promise<boolean> {
    const [, root] = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.+)$/
      .exec(this.#info.artifact_uri) ?? [];
    if (root === undefined) return false;
    const path = `/api/2.0/mlflow-artifacts/artifacts/${root}/${name}`;
    await callTracker(this.#server, path, { method: "PUT", body, signal });
    return true;
  }
}
