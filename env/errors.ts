/**
 * The errors of taulab's boundaries: the class says where a run broke, the fields say with what.
 * Wrong arguments inside the program are plain `TypeError`s and `RangeError`s.
 *
 * @module
 */

/** What a person gave is unusable: a flag, a recipe, a dataset. The message says how to mend it. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** A dataset, a directory or a file could not be read as what it should be. */
export class DataError extends Error {
  override readonly name = "DataError";
  /** The file, where one is to blame. */
  readonly path: string | undefined;
  constructor(
    message: string,
    options: { path?: string; cause?: unknown } = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.path = options.path;
  }
}

/** A tool's own refusal, in the words that the agent reads as `Error: <message>`. Not a fault of ours. */
export class ToolError extends Error {
  override readonly name = "ToolError";
}

/**
 * The kinds of failure that are nobody's answer: never scored, retried where it helps, counted. `refused` is a
 * server's no that another try will not change: a wrong key, an unknown model, a parameter it does not take.
 */
export type FailureKind =
  | "rate_limited"
  | "timeout"
  | "connection"
  | "server_error"
  | "bad_response"
  | "refused"
  | "aborted"
  | "bug";

/** A model, a user simulator or an engine failed. Ends an episode with a typed `failure`, never with a score. */
export class InfrastructureError extends Error {
  override readonly name = "InfrastructureError";
  readonly kind: FailureKind;
  /** Which seam failed. */
  readonly source: "model" | "user" | "environment";
  constructor(
    message: string,
    options: {
      kind: FailureKind;
      source: "model" | "user" | "environment";
      cause?: unknown;
    },
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = options.kind;
    this.source = options.source;
  }
}

/** A run has spent what it was allowed to. What is done is kept; the message says how to go on. */
export class BudgetError extends Error {
  override readonly name = "BudgetError";
}

/** The policy or its tokenizer cannot do what was asked: a bad checkpoint, a context that is too long. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

/** The trainer stopped: a gradient that is not finite, a worker that died. */
export class TrainerError extends Error {
  override readonly name = "TrainerError";
}

/** A run dir cannot be read, written, resumed or locked. */
export class RunDirError extends Error {
  override readonly name = "RunDirError";
}

/** A host cannot be reached, or a step on it failed. The message has the host, the command and its last words. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** Why Ray did not do what it was asked; `refused` is a no that another try will not change. */
export type RayFaultKind =
  | "unreachable"
  | "timeout"
  | "refused"
  | "not_found"
  | "server_error"
  | "bad_response";

/** Ray's Jobs interface cannot be reached or refuses, a cluster does not come up, or a job failed. */
export class RayError extends Error {
  override readonly name = "RayError";
  readonly kind: RayFaultKind;
  constructor(
    message: string,
    options: { kind: RayFaultKind; cause?: unknown },
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = options.kind;
  }
}
