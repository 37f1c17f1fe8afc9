/**
 * Provides a typed client for Ray's Jobs REST API, with methods that submit, query, follow, stop and remove jobs.
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

/** The version of Ray that responds at an address. */
export interface RayVersion {
  readonly version: string;
  /** A name that changes each time Ray starts, such as `session_2026-01-02_03-04-05_678901_234`; `null` if unknown. */
  readonly session: string | null;
}

/** A job to submit. */
export interface JobRequest {
  /** The id of the job. The client chooses the id, so that it is known even if the response is lost. */
  readonly submissionId: string;
  /** The command line for a POSIX shell. */
  readonly entrypoint: string;
  readonly envVars: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * The amounts of Ray's resources that the job's command needs. Ray runs the command on a node that has them. Default:
   * none; the command then runs on the head.
   */
  readonly resources?: Readonly<Record<string, number>>;
}

/** The numbers of GPUs in a cluster. */
export interface RayGpus {
  readonly used: number;
  readonly total: number;
}

/** Options for {@linkcode RayJobs}. */
export interface RayJobsOptions {
  /** The base URL, such as `http://127.0.0.1:8265`. */
  readonly url: string;
  /** The bearer token to send. Default: none. */
  readonly token?: string | undefined;
  /** The time limit of one attempt in milliseconds. Default: 15,000. */
  readonly timeoutMs?: number;
  /** The number of retries for requests that can be repeated safely. Default: 4. */
  readonly retries?: number;
  /** The first backoff in milliseconds, which doubles with each retry, up to 5 seconds. Default: 250. */
  readonly backoffMs?: number;
  /** What sets the URL, for hints. Default: the recipe's `cluster.address` and `cluster.dashboardPort`. */
  readonly setBy?: string;
}

/** The environment variable from which newer versions of Ray read their token. */
export const RAY_TOKEN = "RAY_AUTH_TOKEN";

const MAX_BACKOFF_MS = 5_000;
/**
 * The time limit of a submission in milliseconds. It is long, because a cluster that has just started has no agent yet
 * to accept jobs.
 */
const SUBMIT_TIMEOUT_MS = 180_000;
/**
 * The time limit of a stop request in milliseconds. It leaves time for Ray to wait three seconds before it kills the
 * job.
 */
const STOP_TIMEOUT_MS = 30_000;

/** Deno's `WebSocket` with headers, which are missing from the browser types that some packages declare. */
const HeaderedWebSocket = WebSocket as unknown as new (
  url: string,
  options: { headers: Record<string, string> },
) => WebSocket;

interface Call<T> extends CallOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly body?: unknown;
  readonly schema: z.ZodType<T>;
  /** A description of the request for error messages, such as `look up the job "a"`. */
  readonly doing: string;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

/** A client of one cluster's Jobs API. */
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
      setBy: "cluster.address and cluster.dashboardPort",
      ...options,
    };
    this.#headers = options.token === undefined
      ? {}
      : { authorization: `Bearer ${options.token}` };
  }

  /**
   * Returns the version of Ray. The request is not retried.
   * @throws {RayError} If nothing responds, or Ray responds with an error.
   */
  async version(options: CallOptions = {}): Promise<RayVersion> {
    const found = await this.#call("/api/version", {
      ...options,
      schema: versionSchema,
      doing: "get Ray's version",
      retries: 0,
    });
    return {
      version: found.ray_version,
      session: found.session_name ?? null,
    };
  }

  /**
   * Lists all jobs, including jobs that have ended.
   * @throws {RayError} If Ray does not respond, or responds with an error.
   */
  async list(options: CallOptions = {}): Promise<RayJob[]> {
    const jobs = await this.#call("/api/jobs/", {
      ...options,
      schema: z.array(jobSchema),
      doing: "list jobs",
    });
    return jobs.map(toJob);
  }

  /**
   * Returns the numbers of GPUs in the cluster; `undefined` if Ray does not report them.
   * @throws {RayError} If Ray cannot be reached.
   */
  async gpus(options: CallOptions = {}): Promise<RayGpus | undefined> {
    const usage = await this.#usage("query free GPUs", options);
    const share = usage && shareSchema.safeParse(usage["GPU"] ?? [0, 0]).data;
    return share && { used: share[0], total: share[1] };
  }

  /**
   * Returns the addresses of the cluster's nodes; `undefined` if Ray does not report them.
   * @throws {RayError} If Ray cannot be reached.
   */
  async nodes(options: CallOptions = {}): Promise<string[] | undefined> {
    const usage = await this.#usage("list nodes", options);
    return usage &&
      Object.keys(usage).flatMap((name) =>
        /^node:([^_I].*)$/.exec(name)?.[1] ?? []
      );
  }

  /** Returns the used and the total amounts of Ray's resources; `undefined` if Ray does not report them. */
  async #usage(
    doing: string,
    options: CallOptions,
  ): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      const { data } = await this.#call("/api/cluster_status", {
        ...options,
        schema: usageSchema,
        doing,
      });
      return data.clusterStatus.loadMetricsReport.usage;
    } catch (error) {
      if (error instanceof RayError && error.kind !== "unreachable") {
        return undefined; // the report is not a public interface and may change
      }
      throw error;
    }
  }

  /**
   * Submits a job exactly once: if the response is lost, looks for the job before submitting it again.
   * @returns `submitted`; or `exists` if Ray already had a job with the same id, command line and metadata, which is
   * assumed to be this job.
   * @throws {RayError} If another job has the id, or Ray rejects the job or does not respond.
   */
  async submit(
    job: JobRequest,
    options: CallOptions = {},
  ): Promise<"submitted" | "exists"> {
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

  /**
   * Returns a job in its current state.
   * @throws {RayError} If Ray does not respond, or the job does not exist. In the latter case, `kind` is `not_found`.
   */
  async job(id: string, options: CallOptions = {}): Promise<RayJob> {
    const job = await this.#call(`/api/jobs/${encodeURIComponent(id)}`, {
      ...options,
      schema: jobSchema,
      doing: `look up the job "${id}"`,
    });
    return toJob(job);
  }

  /**
   * Stops a job: Ray asks it to end, and kills it after three seconds. Returns at once; poll {@linkcode RayJobs.job} to
   * wait for the end.
   * @returns Whether the job was still running.
   * @throws {RayError} If Ray does not respond, or the job does not exist. In the latter case, `kind` is `not_found`.
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

  /**
   * Removes a job that has ended, together with its log.
   * @returns Whether Ray removed the job.
   * @throws {RayError} If Ray does not respond, or the job does not exist or has not ended.
   */
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

  /**
   * Returns the whole log of a job up to now.
   * @throws {RayError} If Ray does not respond, or responds with an error.
   */
  async logs(id: string, options: CallOptions = {}): Promise<string> {
    const { logs } = await this.#call(
      `/api/jobs/${encodeURIComponent(id)}/logs`,
      {
        ...options,
        schema: logsSchema,
        doing: `read the log of the job "${id}"`,
      },
    );
    return logs ?? "";
  }

  /**
   * Yields the log of a job from its first character until the connection closes, which can be before the end of the
   * job.
   * @throws {RayError} If the connection cannot be made or breaks.
   * @throws The signal's reason, if it is aborted.
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
    const frames = new FrameQueue(socket, `follow the log of the job "${id}"`);
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
        ...(job.resources && { entrypoint_resources: job.resources }),
      },
      schema: submittedSchema,
      doing: `submit the job "${job.submissionId}"`,
      retries: 0,
      timeoutMs: SUBMIT_TIMEOUT_MS,
    });
  }

  /** Returns the job with this id; `undefined` if the job does not exist, or Ray does not respond. */
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

  #own(job: JobRequest, there: RayJob): "exists" {
    const isOurs = there.entrypoint === job.entrypoint &&
      Object.entries(job.metadata).every(([key, value]) =>
        there.metadata[key] === value
      );
    if (isOurs) return "exists";
    throw new RayError(
      `Ray at ${this.url} already has another job with the id "${job.submissionId}" (${there.state})`,
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
      `Cannot ${doing}: the service at ${this.url} is not Ray's Jobs API, or is an unsupported version of it (it responded "${
        text.slice(0, 120)
      }")`,
      {
        kind: "bad_response",
        cause: result.error,
        hint: `check ${this.#options.setBy}`,
      },
    );
  }

  #refusal(status: number, text: string, doing: string): RayError {
    const kind = kindOf(status, text);
    const words = lastWords(text);
    const isBarred = status === 401 || status === 403;
    return new RayError(
      `Cannot ${doing}: Ray at ${this.url} responded ${status}${
        words === "" ? "" : `: ${words}`
      }`,
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
      ? `no response within ${timeoutMs / 1000} s`
      : reasonOf(error);
    return new RayError(
      `Cannot ${doing}: Ray at ${this.url} cannot be reached (${why})`,
      {
        kind,
        cause: error,
        hint:
          `check that the head is running, and check ${this.#options.setBy}`,
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
