/**
 * Implements a W&B server in memory. It accepts the requests with which W&B's client and taulab's tracker upload a run.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { z } from "zod";

/** The only API key that the server accepts. */
export const WANDB_KEY = "0123456789abcdef".repeat(3).slice(0, 40);

/** The entity to which {@linkcode WANDB_KEY} belongs. */
export const WANDB_ENTITY = "our-team";

const graphqlSchema = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).optional(),
});

const bucketSchema = z.object({
  name: z.string(),
  project: z.string(),
  entity: z.string().nullish(),
  displayName: z.string().nullish(),
  groupName: z.string().nullish(),
  jobType: z.string().nullish(),
  commit: z.string().nullish(),
  config: z.string().nullish(),
});

const streamSchema = z.strictObject({
  files: z.record(
    z.string(),
    z.object({ offset: z.int().min(0), content: z.array(z.string()) }),
  ).optional(),
  uploaded: z.array(z.string()).nullish(),
  complete: z.boolean().optional(),
  exitcode: z.int().optional(),
});

/** A run that was uploaded to the server. */
export class UploadedRun {
  readonly described: Record<string, string> = {};
  config: Record<string, { value: unknown }> = {};
  /** The contents of the uploaded files, keyed by path. */
  readonly files = new Map<string, string>();
  exitCode: number | undefined;
  heartbeats = 0;
  readonly #lines = new Map<string, string[]>();

  get history(): Record<string, unknown>[] {
    return this.#json("wandb-history.jsonl");
  }

  get summary(): Record<string, unknown> | undefined {
    return this.#json("wandb-summary.json").at(-1);
  }

  #json(file: string): Record<string, unknown>[] {
    return (this.#lines.get(file) ?? []).map((line) => JSON.parse(line));
  }

  describe({ config, entity: _, ...rest }: z.infer<typeof bucketSchema>): void {
    for (const [key, value] of Object.entries(rest)) {
      if (typeof value === "string") this.described[key] = value;
    }
    if (config) this.config = JSON.parse(config);
  }

  stream(request: z.infer<typeof streamSchema>): void {
    if (Object.keys(request).length === 0) this.heartbeats++;
    for (
      const [file, { offset, content }] of Object.entries(request.files ?? {})
    ) {
      const lines = this.#lines.get(file) ?? [];
      assert.ok(offset <= lines.length, `${file} has a gap before ${offset}`);
      lines.splice(offset, content.length, ...content);
      this.#lines.set(file, lines);
    }
    if (request.complete) this.exitCode = request.exitcode;
  }
}

/** A W&B server in memory. Declare it with `await using`. */
export class WandbServer implements AsyncDisposable {
  /** The uploaded runs, keyed by path (`ENTITY/PROJECT/ID`). */
  readonly runs = new Map<string, UploadedRun>();
  /** Descriptions of the malformed requests that the server rejected. */
  readonly faults: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port,
      onListen() {},
    }, (request) =>
      this.#answer(request).catch((error) => {
        this.faults.push(`${request.method} ${request.url}: ${error}`);
        return new Response(String(error), { status: 400 });
      }));
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  /** Returns the uploaded run. Fails if there is not exactly one, or if the server rejected a request. */
  get run(): UploadedRun {
    assert.deepEqual(this.faults, []);
    assert.equal(this.runs.size, 1);
    return [...this.runs.values()][0]!;
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const text = await request.text();
    const [, place, path] = /^\/files\/([^/]+\/[^/]+\/[^/]+)\/(.+)$/
      .exec(decodeURIComponent(pathname)) ?? [];
    const grant = "/storage/";
    if (request.method === "PUT" && pathname.startsWith(grant)) {
      assert.equal(request.headers.get("authorization"), null);
      assert.equal(request.headers.get("x-grant"), "yes");
      const [run = "", file = ""] = decodeURIComponent(pathname)
        .slice(grant.length).split("//");
      this.#known(run).files.set(file, text);
      return new Response();
    }
    const key = Buffer.from(`api:${WANDB_KEY}`).toString("base64");
    if (request.headers.get("authorization") !== `Basic ${key}`) {
      return Response.json({ error: "user is not logged in" }, { status: 401 });
    }
    if (path === "file_stream") {
      this.#known(place!).stream(streamSchema.parse(JSON.parse(text)));
      return Response.json({ exitcode: null, limits: {} });
    }
    assert.equal(pathname, "/graphql");
    const { query, variables } = graphqlSchema.parse(JSON.parse(text));
    return Response.json({ data: this.#resolve(query, variables) });
  }

  #resolve(query: string, variables: unknown): object {
    if (query.includes("serverInfo")) {
      return { serverInfo: { features: [] } };
    }
    if (query.includes("upsertBucket")) {
      const bucket = bucketSchema.parse(variables);
      const entity = bucket.entity || WANDB_ENTITY;
      const place = `${entity}/${bucket.project}/${bucket.name}`;
      const run = this.runs.get(place) ?? new UploadedRun();
      run.describe(bucket);
      this.runs.set(place, run);
      const { displayName = "" } = run.described;
      const project = { id: "p", name: bucket.project };
      return {
        upsertBucket: {
          bucket: {
            id: "b",
            name: bucket.name,
            displayName,
            description: "",
            config: JSON.stringify(run.config),
            sweepName: null,
            project: { ...project, entity: { id: "e", name: entity } },
            historyLineCount: run.history.length,
          },
          inserted: true,
        },
      };
    }
    assert.match(query, /createRunFiles/);
    const { entity, project, run, files } = z.object({
      entity: z.string(),
      project: z.string(),
      run: z.string(),
      files: z.array(z.string()),
    }).parse(variables);
    const place = `${entity}/${project}/${run}`;
    this.#known(place);
    return {
      createRunFiles: {
        runID: "b",
        uploadHeaders: ["x-grant:yes"],
        files: files.map((name) => ({
          name,
          uploadUrl: `${this.url}/storage/${
            encodeURIComponent(place)
          }//${name}`,
        })),
      },
    };
  }

  #known(place: string): UploadedRun {
    const run = this.runs.get(place);
    assert.ok(run !== undefined, `there is no run ${place}`);
    return run;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}
