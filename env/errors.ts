/**
 * Defines the errors that taulab reports to the people who run it. The class says which part failed; the message and
 * the hint say why, and how to fix the problem. Wrong arguments within the program cause plain `TypeError`s and
 * `RangeError`s.
 */

import type { RefusalKind } from "./system_error.ts";

/** Options for {@linkcode BoundaryError}. */
export interface BoundaryErrorOptions {
  /** How to fix the problem, as a single instruction: `pass --tau-bench DIR or set TAU_BENCH_DIR`. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error to show to a person: the message says what failed, and the hint says how to fix the problem. */
export abstract class BoundaryError extends Error {
  /** How to fix the problem, if known. */
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: BoundaryErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }

  /** Returns the name, message and hint. */
  override toString(): string {
    return `${this.name}: ${messageOf(this)}`;
  }
}

/** Returns the message of an error, followed by its hint. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof BoundaryError && error.hint !== undefined
    ? `${error.message.replace(/(?<!\.)\.$/, "")}; ${error.hint}`
    : error.message;
}

/**
 * Thrown if the command line, a recipe, a dataset or another input is invalid. A command that fails with this error
 * exits with status 2.
 */
export class ConfigError extends BoundaryError {
  override readonly name = "ConfigError";
}

/** Thrown if a dataset, directory or file does not have the expected format. */
export class DataError extends BoundaryError {
  override readonly name = "DataError";
  /** The path of the file at fault, if there is one. */
  readonly path: string | undefined;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly path?: string } = {},
  ) {
    super(message, options);
    this.path = options.path;
  }
}

/** Thrown if a tool refuses a call. The agent reads the message as `Error: <message>`, and the episode continues. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/**
 * The kinds of infrastructure failure. Failures are counted but not scored, and are retried if a retry can help.
 * `refused`: a server permanently rejected the request, because of a wrong key, an unknown model or an unsupported
 * parameter. `not_judged`: only a judge could have scored the episode, but there was none.
 */
export type FailureKind =
  | "rate_limited"
  | "timeout"
  | "connection"
  | "server_error"
  | "bad_response"
  | "refused"
  | "aborted"
  | "not_judged"
  | "bug";

/** Thrown if a model, a simulated user or an environment fails. The episode ends with a `failure` and has no reward. */
export class InfrastructureError extends BoundaryError {
  override readonly name = "InfrastructureError";
  readonly kind: FailureKind;
  /** The component that failed. */
  readonly source: "model" | "user" | "environment";
  constructor(
    message: string,
    options: BoundaryErrorOptions & {
      readonly kind: FailureKind;
      readonly source: "model" | "user" | "environment";
    },
  ) {
    super(message, options);
    this.kind = options.kind;
    this.source = options.source;
  }
}

/** Thrown if a run has used up its budget. Finished work is kept. */
export class BudgetError extends BoundaryError {
  override readonly name = "BudgetError";
}

/**
 * Thrown if the policy or its tokenizer fails, for example because of a bad checkpoint or a context that is too long.
 */
export class PolicyError extends BoundaryError {
  override readonly name = "PolicyError";
}

/** Thrown if training fails, for example because a gradient is not finite or a worker process has died. */
export class TrainerError extends BoundaryError {
  override readonly name = "TrainerError";
}

/** Thrown if a run dir cannot be read, written, resumed or locked. */
export class RunDirError extends BoundaryError {
  override readonly name = "RunDirError";
}

/**
 * Thrown if the operating system refuses to read or write, for example because the disk is full or a directory is not
 * writable.
 */
export class StorageError extends BoundaryError {
  override readonly name = "StorageError";
  readonly kind: RefusalKind;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly kind: RefusalKind },
  ) {
    super(message, options);
    this.kind = options.kind;
  }
}

/**
 * Thrown if a host cannot be reached or a command on it fails. The message contains the host, the command and its last
 * output.
 */
export class HostError extends BoundaryError {
  override readonly name = "HostError";
  /** Whether the container that runs the commands is down, together with everything that ran in it. */
  readonly isDown: boolean;
  constructor(
    message: string,
    options?: BoundaryErrorOptions & { readonly isDown?: boolean },
  ) {
    super(message, options);
    this.isDown = options?.isDown ?? false;
  }
}

/**
 * The kinds of Ray failure. `refused`: Ray permanently rejected the request, so a retry cannot help. `ended`: the Ray
 * cluster that was started for a run has ended, and its job with it.
 */
export type RayFaultKind =
  | "unreachable"
  | "timeout"
  | "refused"
  | "not_found"
  | "server_error"
  | "bad_response"
  | "ended";

/** Thrown if Ray's Jobs API cannot be reached or refuses a request, if a cluster does not start, or if a job fails. */
export class RayError extends BoundaryError {
  override readonly name = "RayError";
  readonly kind: RayFaultKind;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly kind: RayFaultKind },
  ) {
    super(message, options);
    this.kind = options.kind;
  }
}
