/**
 * Defines schemas for the responses of Ray's Jobs REST API, and parses its errors.
 * @see Ray 2.49.2 `dashboard/modules/job/`.
 */

import { z } from "zod";
import type { RayFaultKind } from "../../../env/errors.ts";

/** The states of a job; the last three are final. */
export const JOB_STATES = [
  "PENDING",
  "RUNNING",
  "SUCCEEDED",
  "FAILED",
  "STOPPED",
] as const;

/** The state of a job. */
export type JobState = typeof JOB_STATES[number];

/** Checks whether a job in this state has ended. */
export function isFinal(state: JobState): boolean {
  return state !== "PENDING" && state !== "RUNNING";
}

/** The schema of the response to `GET /api/version`. */
export const versionSchema = z.object({
  ray_version: z.string(),
  session_name: z.string().nullish(),
});

/** The schema of the response to `GET /api/jobs/ID`, and of each element of the response to `GET /api/jobs/`. */
export const jobSchema = z.object({
  type: z.string(),
  submission_id: z.string().nullish(),
  job_id: z.string().nullish(),
  status: z.enum(JOB_STATES),
  entrypoint: z.string().nullish(),
  message: z.string().nullish(),
  error_type: z.string().nullish(),
  start_time: z.number().nullish(),
  end_time: z.number().nullish(),
  driver_exit_code: z.number().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

/** The schema of the response to `POST /api/jobs/`. */
export const submittedSchema = z.object({ submission_id: z.string() });
/** The schema of the response to `POST /api/jobs/ID/stop`. */
export const stoppedSchema = z.object({ stopped: z.boolean() });
/** The schema of the response to `DELETE /api/jobs/ID`. */
export const deletedSchema = z.object({ deleted: z.boolean() });
/** The schema of the response to `GET /api/jobs/ID/logs`. */
export const logsSchema = z.object({ logs: z.string().nullable() });

/** The schema of the response to `GET /api/cluster_status`. */
export const usageSchema = z.object({
  data: z.object({
    clusterStatus: z.object({
      loadMetricsReport: z.object({
        usage: z.record(z.string(), z.unknown()),
      }),
    }),
  }),
});
/** The schema of a resource's amounts: `[used, total]`. */
export const shareSchema = z.tuple([z.number(), z.number()]);

/** A job of a Ray cluster, as Ray reports it. */
export interface RayJob {
  /** The job's id; `null` for a driver that was started without the Jobs API. */
  readonly submissionId: string | null;
  readonly state: JobState;
  /** Ray's description of the state. For a failed job, it includes the last lines of the job's log. */
  readonly message: string;
  readonly errorType: string | null;
  /** The start time in milliseconds since 1970; `null` if the job has not started. */
  readonly startedMs: number | null;
  readonly endedMs: number | null;
  readonly exitCode: number | null;
  readonly entrypoint: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Converts the JSON of a job to a {@linkcode RayJob}. */
export function toJob(job: z.infer<typeof jobSchema>): RayJob {
  return {
    submissionId: job.submission_id ?? null,
    state: job.status,
    message: job.message ?? "",
    errorType: job.error_type ?? null,
    startedMs: job.start_time ?? null,
    endedMs: job.end_time ?? null,
    exitCode: job.driver_exit_code ?? null,
    entrypoint: job.entrypoint ?? "",
    metadata: job.metadata ?? {},
  };
}

/**
 * Returns the kind of error that a response reports. If an agent of Ray responds with a status such as 400, Ray's own
 * response has the status 500 and names the agent's status in its text.
 */
export function kindOf(status: number, text: string): RayFaultKind {
  if (/status code 4\d\d/.test(text)) return "refused";
  if (status === 404) return "not_found";
  return status >= 500 || status === 429 ? "server_error" : "refused";
}

/**
 * Returns the last line with a letter in an error response, truncated to 500 characters; empty if there is none. This
 * line usually states the error.
 */
export function lastWords(text: string): string {
  const lines = text.split("\n").map((line) => line.trim())
    .filter((line) => /[A-Za-z]/.test(line));
  return (lines.at(-1) ?? "").slice(0, 500);
}
