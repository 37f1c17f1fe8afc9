/**
 * The errors of taulab's boundaries: the class says where a run broke, the fields say with what and how to fix it.
 * Wrong arguments inside the program are plain `TypeError`s and `RangeError`s.
 */

import type { RefusalKind } from "./system_error.ts";

/** What an error of a boundary holds beside its message. */
export interface BoundaryErrorOptions {
  /** What to do about it, as one instruction: `pass --tau-bench DIR or set TAU_BENCH_DIR`. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An error that people are shown: what failed, and apart from it how to fix it. */
export abstract class BoundaryError extends Error {
  /** How to fix it, where that is known. */
  readonly hint: string | undefined;

  constructor(message: string, { hint, cause }: BoundaryErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }

  /** Name, message and hint. */
  override toString(): string {
    return `${this.name}: ${messageOf(this)}`;
  }
}

/** What an error says in one line of text, its hint included. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof BoundaryError && error.hint !== undefined
    ? `${error.message}; ${error.hint}`
    : error.message;
}

/** What a person gave is unusable: a flag, a recipe, a dataset. Exit status 2. */
export class ConfigError extends BoundaryError {
  override readonly name = "ConfigError";
}

/** A dataset, a directory or a file could not be read as what it should be. */
export class DataError extends BoundaryError {
  override readonly name = "DataError";
  /** The file, where one is to blame. */
  readonly path: string | undefined;
  constructor(
    message: string,
    options: BoundaryErrorOptions & { readonly path?: string } = {},
  ) {
    super(message, options);
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
 * `not_judged`: only a judge could have scored it, and there was none.
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

/** A model, a user simulator or an engine failed. Ends an episode with a typed `failure`, never with a score. */
export class InfrastructureError extends BoundaryError {
  override readonly name = "InfrastructureError";
  readonly kind: FailureKind;
  /** Which seam failed. */
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

/** A run has spent what it was allowed to. What is done is kept. */
export class BudgetError extends BoundaryError {
  override readonly name = "BudgetError";
}

/** The policy or its tokenizer cannot do what was asked: a bad checkpoint, a context that is too long. */
export class PolicyError extends BoundaryError {
  override readonly name = "PolicyError";
}

/** The trainer stopped: a gradient that is not finite, a worker that died. */
export class TrainerError extends BoundaryError {
  override readonly name = "TrainerError";
}

/** A run dir cannot be read, written, resumed or locked. */
export class RunDirError extends BoundaryError {
  override readonly name = "RunDirError";
}

/** The system refused to write or to read: a full disk, a broken one, a directory that this user may not write. */
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

/** A host cannot be reached, or a step on it failed. The message has the host, the command and its last words. */
export class HostError extends BoundaryError {
  override readonly name = "HostError";
  /** The container that commands run in is not up: whatever ran in it has ended. */
  readonly isDown: boolean;
  constructor(
    message: string,
    options?: BoundaryErrorOptions & { readonly isDown?: boolean },
  ) {
    super(message, options);
    this.isDown = options?.isDown ?? false;
  }
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
