/**
 * Ray's Jobs REST interface, typed: a job is submitted, looked at, listened to, stopped and removed by its id.
 *
 * @see Ray 2.49.2 `dashboard/modules/job/job_head.py` and `openapi.yml`; errors are plain text, mostly tracebacks.
 */

import { parseJson } from "../../runs/versions.ts";
import { z } from "zod";
import { messageOf, RayError, type RayFaultKind } from "../../../env/errors.ts";
import { retry } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { FrameQueue } from "./_frames.ts";
import {
  deletedSchema,
  jobSchema,
  kindOf,
  lastWords,
  logsSchema,
  type RayJob,
  shareSchema,
  stoppedSchema,
  submittedSchema,
  toJob,
  usageSchema,
  versionSchema,
} from "./_ray_wire.ts";

export {
  isFinal,
  JOB_STATES,
  type JobState,
  type RayJob,
} from "./_ray_wire.ts";

/** What answers at an address. */
export interface RayVersion {
  readonly version: string;
  /** `session_2026-01-02_03-04-05_678901_234`: no other start of Ray has it. */
  readonly session: string | null;
}

/** What to run. */
export interface JobRequest {
  /** Ours, so that an answer that is lost does not lose the job. */
  readonly submissionId: string;
  /** One line of a POSIX shell. */
  readonly entrypoint: string;
  readonly envVars: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** GPUs of a cluster. */
export interface RayGpus {
  readonly used: number;
  readonly total: number;
}

/** How to call an interface. */
export interface RayJobsOptions {
  /** `http://127.0.0.1:8265`. */
  readonly url: string;
  /** A bearer token, where the cluster demands one. */
  readonly token?: string | undefined;
  /** Of an attempt. Default: 15 s. */
  readonly timeoutMs?: number;
  /** Attempts beyond the first, where another may help. Default: 4. */
  readonly retries?: number;
  /** The first wait between them; doubles. Default: 250 ms. */
  readonly backoffMs?: number;
}

/** The name of the environment variable that newer Rays take their token from. */
export const RAY_TOKEN = "RAY_AUTH_TOKEN";

const MAX_BACKOFF_MS = 5_000;
/** A cluster that has just started has no agent yet that takes jobs. */
const SUBMIT_TIMEOUT_MS = 60_000;
/** Ray asks a job to end, waits three seconds, and ends it. */
const STOP_TIMEOUT_MS = 30_000;

/** Deno's takes headers; the browser's types, which some packages bring along, do not know. */
const HeaderedWebSocket = WebSocket as unknown as new (
  url: string,
  options: { headers: Record<string, string> },
) => WebSocket;

interface Call<T> extends CallOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly schema: z.ZodType<T>;
  /** `ask for the job "a"`. */
  readonly doing: string;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** The Jobs interface of one cluster. */
export class RayJobs {
  readonly url: string;
  readonly #options: Required<Omit<RayJobsOptions, "token">>;
  readonly #headers: Record<string, string>;

  constructor(options: RayJobsOptions) {
    this.url = options.url.replace(/(?<!\/)\/+$/, "");
    this.#options = {
      timeoutMs: 15_000,
      retries: 4,
      backoffMs: 250,
      ...options,
    };
    this.#headers = options.token === undefined
      ? {}
      : { authorization: `Bearer ${options.token}` };
  }

  /** What answers. @throws {RayError} If nothing does, at the first attempt. */
  async version(options: CallOptions = {}): Promise<RayVersion> {
    const found = await this.#call("/api/version", {
      ...options,
      schema: versionSchema,
      doing: "ask for Ray's version",
      retries: 0,
    });
    return {
      version: found.ray_version,
      session: found.session_name ?? null,
    };
  }

  /** All jobs, also those that have ended. @throws {RayError} */
  async list(options: CallOptions = {}): Promise<RayJob[]> {
    const jobs = await this.#call("/api/jobs/", {
      ...options,
      schema: z.array(jobSchema),
      doing: "list jobs",
    });
    return jobs.map(toJob);
  }

  /** The cluster's GPUs; `undefined` where this Ray does not say. */
  async gpus(options: CallOptions = {}): Promise<RayGpus | undefined> {
    try {
      const { data } = await this.#call("/api/cluster_status", {
        ...options,
        schema: usageSchema,
        doing: "ask for free GPUs",
      });
      const { usage } = data.clusterStatus.loadMetricsReport;
      const share = shareSchema.safeParse(usage["GPU"] ?? [0, 0]).data;
      return share && { used: share[0], total: share[1] };
    } catch (error) {
      if (error instanceof RayError && error.kind !== "unreachable") {
        return undefined; // the report is of no public interface and may be another some day
      }
      throw error;
    }
  }

  /**
   * Submits a job, once: after an answer that was lost, the job is looked for before it is submitted again.
   * @returns Whether it is new; a job of the id that runs the same line is taken for ours.
   * @throws {RayError} If another job has the id, or Ray does not take it.
   */
  async submit(
    job: JobRequest,
    options: CallOptions = {},
  ): Promise<"submitted" | "there"> {
    return await retry(async () => {
      try {
        await this.#post(job, options);
        return "submitted";
      } catch (error) {
        if (!(error instanceof RayError)) throw error;
        const there = await this.#find(job, options);
        if (there !== undefined) return this.#own(job, there);
        throw error;
      }
    }, { ...this.#patience(options), timeoutMs: SUBMIT_TIMEOUT_MS });
  }

  /** How a job is. @throws {RayError} `not_found` if there is none. */
  async job(id: string, options: CallOptions = {}): Promise<RayJob> {
    const job = await this.#call(`/api/jobs/${encodeURIComponent(id)}`, {
      ...options,
      schema: jobSchema,
      doing: `ask for the job "${id}"`,
    });
    return toJob(job);
  }

  /**
   * Stops a job: asked to end, ended after three seconds. Returns at once; wait by {@linkcode RayJobs.job}.
   * @returns Whether it ran until now.
   * @throws {RayError} `not_found` if there is none.
   */
  async stop(id: string, options: CallOptions = {}): Promise<boolean> {
    const { stopped } = await this.#call(
      `/api/jobs/${encodeURIComponent(id)}/stop`,
      {
        ...options,
        method: "POST",
        schema: stoppedSchema,
        doing: `stop the job "${id}"`,
        timeoutMs: STOP_TIMEOUT_MS,
      },
    );
    return stopped;
  }

  /** Removes a job that has ended, with its log. @throws {RayError} If it has not ended. */
  async remove(id: string, options: CallOptions = {}): Promise<boolean> {
    const { deleted } = await this.#call(
      `/api/jobs/${encodeURIComponent(id)}`,
      {
        ...options,
        method: "DELETE",
        schema: deletedSchema,
        doing: `remove the job "${id}"`,
      },
    );
    return deleted;
  }

  /** The whole text that a job printed so far. @throws {RayError} */
  async logs(id: string, options: CallOptions = {}): Promise<string> {
    const { logs } = await this.#call(
      `/api/jobs/${encodeURIComponent(id)}/logs`,
      { ...options, schema: logsSchema, doing: `read the log of job "${id}"` },
    );
    return logs ?? "";
  }

  /**
   * What a job prints, from its first word on, until the connection ends: with the job, or before it.
   * @throws {RayError} If the connection cannot be made or breaks.
   * @throws The signal's reason.
   */
  async *tail(
    id: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<string> {
    const url = `${this.url.replace(/^http/, "ws")}/api/jobs/${
      encodeURIComponent(id)
    }/logs/tail`;
    signal?.throwIfAborted();
    const socket = new HeaderedWebSocket(url, { headers: this.#headers });
    const frames = new FrameQueue(socket, `follow the log of job "${id}"`);
    const cancel = () => frames.cancel(signal?.reason);
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      yield* frames.read();
    } finally {
      signal?.removeEventListener("abort", cancel);
      frames.close();
    }
  }

  async #post(job: JobRequest, options: CallOptions): Promise<void> {
    await this.#call("/api/jobs/", {
      ...options,
      method: "POST",
      body: {
        submission_id: job.submissionId,
        entrypoint: job.entrypoint,
        runtime_env: { env_vars: job.envVars },
        metadata: job.metadata,
      },
      schema: submittedSchema,
      doing: `submit the job "${job.submissionId}"`,
      retries: 0,
      timeoutMs: SUBMIT_TIMEOUT_MS,
    });
  }

  /** The job of this id, if there is one; also `undefined` where nobody can say now. */
  async #find(
    { submissionId }: JobRequest,
    options: CallOptions,
  ): Promise<RayJob | undefined> {
    try {
      return await this.job(submissionId, options);
    } catch (error) {
      if (!(error instanceof RayError)) throw error;
      return undefined;
    }
  }

  #own(job: JobRequest, there: RayJob): "there" {
    const isOurs = there.entrypoint === job.entrypoint &&
      Object.entries(job.metadata).every(([key, value]) =>
        there.metadata[key] === value
      );
    if (isOurs) return "there";
    throw new RayError(
      `Ray at ${this.url} has another job "${job.submissionId}" (${there.state})`,
      { kind: "refused", hint: "choose another name for the run" },
    );
  }

  async #call<T>(path: string, call: Call<T>): Promise<T> {
    const { retries = this.#options.retries } = call;
    return await retry(() => this.#attempt(path, call), {
      ...this.#patience(call),
      retries,
    });
  }

  #patience({ signal }: CallOptions) {
    const { backoffMs } = this.#options;
    return { backoffMs, maxBackoffMs: MAX_BACKOFF_MS, signal, isRetried };
  }

  async #attempt<T>(path: string, call: Call<T>): Promise<T> {
    const { method = "GET", body, doing, schema, signal } = call;
    const { timeoutMs = this.#options.timeoutMs } = call;
    signal?.throwIfAborted();
    const timer = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${this.url}${path}`, {
        method,
        headers: {
          ...this.#headers,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? timer : AbortSignal.any([signal, timer]),
      });
      const text = await response.text();
      if (!response.ok) throw this.#refusal(response.status, text, doing);
      return this.#parse(text, { schema, doing });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof RayError) throw error;
      throw this.#silence(error, { late: timer.aborted, doing, timeoutMs });
    }
  }

  #parse<T>(
    text: string,
    { schema, doing }: { schema: z.ZodType<T>; doing: string },
  ): T {
    const result = schema.safeParse(parseJson(text));
    if (result.success) return result.data;
    throw new RayError(
      `Cannot ${doing}: what answers at ${this.url} is not Ray's Jobs interface, or another version of it (it said "${
        text.slice(0, 120)
      }")`,
      {
        kind: "bad_response",
        cause: result.error,
        hint: "check the address and cluster.dashboardPort",
      },
    );
  }

  #refusal(status: number, text: string, doing: string): RayError {
    const kind = kindOf(status, text);
    const words = lastWords(text);
    const isBarred = status === 401 || status === 403;
    return new RayError(
      `Cannot ${doing}: Ray at ${this.url} answered ${status}: ${words}`,
      {
        kind,
        ...isBarred && { hint: `set ${RAY_TOKEN} to the cluster's token` },
      },
    );
  }

  #silence(
    error: unknown,
    { late, doing, timeoutMs }: {
      late: boolean;
      doing: string;
      timeoutMs: number;
    },
  ): RayError {
    const kind: RayFaultKind = late ? "timeout" : "unreachable";
    const why = late
      ? `no answer within ${timeoutMs / 1000} s`
      : reasonOf(error);
    return new RayError(
      `Cannot ${doing}: Ray at ${this.url} cannot be reached (${why})`,
      {
        kind,
        cause: error,
        hint:
          "check that its head runs, and cluster.address and cluster.dashboardPort",
      },
    );
  }
}

function isRetried(error: unknown): boolean {
  return error instanceof RayError &&
    ["unreachable", "timeout", "server_error"].includes(error.kind);
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return /Connection refused/i.test(message)
    ? "connection refused"
    : message.replace(/^error sending request for url \([^)]*\):? ?/, "");
}
