/**
 * The online mode of the W&B tracker, using the same requests as W&B's client: GraphQL for the run and its files, and a
 * line-based file stream for its history.
 *
 * @see wandb `core/api/graphql/mutation_run.graphql`, `mutation_create_run_files.graphql` and
 * `core/internal/filestream/filestreamrequest.go` at 0.31.0.
 */

import { Buffer } from "node:buffer";
import { z } from "zod";
import { ConfigError } from "../../env/errors.ts";
import type { CallOptions } from "../../env/types.ts";
import type { OpenTracker, Point, RunEnd, Tracker } from "./run_tracker.ts";
import { TrackerError } from "./run_tracker.ts";
import { callTracker, type TrackerServer } from "./tracker_http.ts";
import type { TrackingConfig } from "./tracking_schema.ts";
import { removeUnsynced } from "./wandb_offline.ts";
import {
  pointRow,
  WANDB_AXIS,
  wandbEnd,
  type WandbRow,
  type WandbRun,
  wandbRuns,
  wandbRuntime,
  type WandbValues,
} from "./wandb_run.ts";

/**
 * The interval between heartbeats in milliseconds, as in W&B's client. Without heartbeats, the server considers a run
 * crashed.
 */
const HEARTBEAT_MS = 30_000;

/** The API server of W&B's cloud, whose web pages have a different address. */
const CLOUD = "https://api.wandb.ai";

const UPSERT = `mutation UpsertBucket(
  $name: String, $project: String, $entity: String, $groupName: String, $jobType: String, $displayName: String,
  $commit: String, $config: JSONString
) {
  upsertBucket(input: {
    name: $name, modelName: $project, entityName: $entity, groupName: $groupName, jobType: $jobType,
    displayName: $displayName, commit: $commit, config: $config
  }) {
    bucket { name historyLineCount project { name entity { name } } }
  }
}`;

const CREATE_FILES =
  `mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) {
  createRunFiles(input: { entityName: $entity, projectName: $project, runName: $run, files: $files }) {
    uploadHeaders
    files { name uploadUrl }
  }
}`;

const upsertedSchema = z.object({
  upsertBucket: z.object({
    bucket: z.object({
      name: z.string(),
      historyLineCount: z.int().min(0).nullish(),
      project: z.object({
        name: z.string(),
        entity: z.object({ name: z.string() }),
      }),
    }),
  }),
});

const createdSchema = z.object({
  createRunFiles: z.object({
    /** Request headers for the upload, each as `NAME:VALUE`. */
    uploadHeaders: z.array(z.string()).nullish(),
    files: z.array(z.object({ name: z.string(), uploadUrl: z.string() })),
  }),
});

const errorsSchema = z.object({
  errors: z.array(z.object({ message: z.string() })).min(1),
});

/**
 * Creates the tracker. Each point is one row. A resumed run passes all of its points again, including those of dropped
 * steps. Like W&B's client, the tracker skips as many points as the server already has rows.
 * @param env Reads an environment variable. Default: `Deno.env.get`.
 * @throws {ConfigError} If there is no key, or the server's URL is invalid.
 */
export function onlineWandb(
  config: TrackingConfig,
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Tracker {
  const server = serverOf(config, env);
  const describe = wandbRuns(config);
  return {
    name: "wandb",
    startsOver: true,
    async open(run, { before, signal }) {
      const open = await OnlineRun.open(server, describe(run, before), {
        signal,
      });
      // An offline run of an earlier session has the same ID, and its rows are sent now.
      await removeUnsynced(run);
      return open;
    },
  };
}

function serverOf(
  { wandbUrl }: TrackingConfig,
  env: (name: string) => string | undefined,
): TrackerServer {
  const key = env("WANDB_API_KEY");
  if (!key) {
    throw new ConfigError(
      "The W&B tracker is online, but WANDB_API_KEY is not set",
      {
        hint: "set WANDB_API_KEY, or pass --set tracking.wandbMode=offline",
      },
    );
  }
  const url = wandbUrl ?? (env("WANDB_BASE_URL") || CLOUD);
  if (!/^https?:/.test(url)) {
    throw new ConfigError(
      `WANDB_BASE_URL must start with http: or https:, but it is "${url}"`,
      { hint: "set WANDB_BASE_URL to a URL such as https://api.wandb.ai" },
    );
  }
  return {
    title: "W&B",
    url: url.endsWith("/") ? url.slice(0, -1) : url,
    authorization: `Basic ${Buffer.from(`api:${key}`).toString("base64")}`,
    credentials: "set WANDB_API_KEY to a key of this server",
  };
}

/**
 * Returns the address of a server's web pages. It is the server's own address, except for W&B's cloud, and for servers
 * whose name starts with `api.`, which becomes `app.`.
 */
function pagesOf(url: string): string {
  if (url === CLOUD) return "https://wandb.ai";
  return url.replace("://api.", "://app.");
}

/** A run on a W&B server. */
class OnlineRun implements OpenTracker {
  readonly link: string;
  readonly keepAlive = {
    everyMs: HEARTBEAT_MS,
    call: (options: CallOptions) => this.#post({}, options),
  };
  readonly #server: TrackerServer;
  readonly #run: WandbRun;
  readonly #names: {
    readonly entity: string;
    readonly project: string;
    readonly run: string;
  };
  /** The number of rows that the server has. */
  #sent: number;
  /** The index of the next row. */
  #index = 0;
  /** The summary: the newest value of each key. */
  #summary: Readonly<Record<string, unknown>> = {};

  private constructor(
    server: TrackerServer,
    run: WandbRun,
    { bucket }: z.infer<typeof upsertedSchema>["upsertBucket"],
  ) {
    const { name, project, historyLineCount } = bucket;
    this.#server = server;
    this.#run = run;
    this.#names = {
      entity: project.entity.name,
      project: project.name,
      run: name,
    };
    const [entity, inProject, id] = this.#path();
    this.link = `${pagesOf(server.url)}/${entity}/${inProject}/runs/${id}`;
    this.#sent = historyLineCount ?? 0;
  }

  get place(): Readonly<Record<string, string>> {
    return { runId: this.#run.id, rows: String(this.#sent) };
  }

  /** Creates the run on the server, or updates the run that an earlier session created. */
  static async open(
    server: TrackerServer,
    run: WandbRun,
    { signal }: CallOptions,
  ): Promise<OnlineRun> {
    const variables = {
      name: run.id,
      project: run.project,
      entity: run.entity,
      groupName: run.group,
      jobType: run.kind,
      displayName: run.name,
      commit: run.commit,
      config: JSON.stringify(configOf(run)),
    };
    const { upsertBucket } = await ask(server, upsertedSchema, {
      query: UPSERT,
      variables,
      signal,
    });
    return new OnlineRun(server, run, upsertBucket);
  }

  async send(
    points: readonly Point[],
    { signal }: CallOptions,
  ): Promise<void> {
    const rows = points.map((point, i) =>
      pointRow(point, { run: this.#run, index: this.#index + i })
    );
    const summary = this.#updated(rows);
    const news = rows.slice(Math.max(0, this.#sent - this.#index));
    if (news.length > 0) await this.#stream(news, summary, { signal });
    this.#summary = summary;
    this.#index += rows.length;
    this.#sent = Math.max(this.#sent, this.#index);
  }

  async end(end: RunEnd, { signal }: CallOptions): Promise<void> {
    const place = { run: this.#run, index: this.#index };
    const { values, path, data, exitCode } = wandbEnd(end, place);
    await this.#upload(path, data, { signal });
    const summary = this.#updated([values]);
    const last = { uploaded: [path], complete: true, exitcode: exitCode };
    await this.#stream([], summary, { signal, last });
  }

  #updated(
    values: readonly WandbValues[],
  ): Readonly<Record<string, unknown>> {
    const runtime = wandbRuntime(values.at(-1)!);
    return Object.assign({}, this.#summary, ...values, { _wandb: { runtime } });
  }

  /** Sends the summary, and the rows that the server does not have yet. */
  async #stream(
    rows: readonly WandbRow[],
    summary: object,
    { signal, last = {} }: CallOptions & { readonly last?: object },
  ): Promise<void> {
    const history = {
      offset: this.#sent,
      content: rows.map((row) => JSON.stringify(row)),
    };
    const files = {
      ...(rows.length === 0 ? {} : { "wandb-history.jsonl": history }),
      "wandb-summary.json": { offset: 0, content: [JSON.stringify(summary)] },
    };
    await this.#post({ files, ...last }, { signal });
  }

  async #post(body: object, { signal }: CallOptions): Promise<void> {
    const path = `/files/${this.#path().join("/")}/file_stream`;
    await callTracker(this.#server, path, { body, signal });
  }

  /** Uploads a file to the run. */
  async #upload(
    name: string,
    body: Uint8Array<ArrayBuffer>,
    { signal }: CallOptions,
  ): Promise<void> {
    const { createRunFiles } = await ask(this.#server, createdSchema, {
      query: CREATE_FILES,
      variables: { ...this.#names, files: [name] },
      signal,
    });
    const { uploadHeaders, files: [file] } = createRunFiles;
    const url = URL.parse(file?.uploadUrl ?? "", this.#server.url);
    if (url === null) throw notWandb(this.#server);
    // The URL itself grants access, so the key is not sent.
    const storage: TrackerServer = {
      title: "The storage of W&B",
      url: url.origin,
      headers: Object.fromEntries((uploadHeaders ?? []).map(headerOf)),
      credentials: "resume the run to get a new address",
    };
    await callTracker(storage, `${url.pathname}${url.search}`, {
      method: "PUT",
      body,
      signal,
    });
  }

  #path(): readonly [entity: string, project: string, run: string] {
    const { entity, project, run } = this.#names;
    return [
      encodeURIComponent(entity),
      encodeURIComponent(project),
      encodeURIComponent(run),
    ];
  }
}

function headerOf(header: string): [name: string, value: string] {
  const colon = header.indexOf(":");
  return [header.slice(0, colon), header.slice(colon + 1)];
}

/**
 * Returns the config as W&B stores it. `_wandb.m` declares the horizontal axis of all curves (see
 * `core/internal/runmetric/runconfigmetrics.go`); a run without `_wandb.t` cannot be resumed by W&B's client.
 */
function configOf({ config }: WandbRun): object {
  const axis = { 1: WANDB_AXIS, 6: [], 7: [] };
  const curves = { 2: "*", 5: 2, 6: [1], 7: [] };
  return {
    ...Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, { value }]),
    ),
    _wandb: { value: { m: [curves, axis], t: {} } },
  };
}

async function ask<T>(
  server: TrackerServer,
  schema: z.ZodType<T>,
  { query, variables, signal }: CallOptions & {
    readonly query: string;
    readonly variables: object;
  },
): Promise<T> {
  const answer = await callTracker(server, "/graphql", {
    body: { query, variables },
    signal,
  });
  const parsed = z.object({ data: schema }).safeParse(answer);
  if (parsed.success) return parsed.data.data;
  const failed = errorsSchema.safeParse(answer);
  if (!failed.success) throw notWandb(server);
  const [{ message }] = failed.data.errors as [{ message: string }];
  throw new TrackerError(
    `W&B at ${server.url} refused the run: ${message.slice(0, 200)}`,
    {
      isPassing: false,
      hint: "check WANDB_API_KEY, tracking.wandbEntity and tracking.project",
    },
  );
}

function notWandb({ url }: TrackerServer): TrackerError {
  return new TrackerError(`The server at ${url} does not offer W&B's API`, {
    isPassing: false,
    hint: "set tracking.wandbUrl or WANDB_BASE_URL to the URL of a W&B server",
  });
}
