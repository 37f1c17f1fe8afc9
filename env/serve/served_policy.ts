/** The policy that a server serves, and the errors of its requests. */

import type { Codec } from "../tokens/conversation.ts";
import type { TokenModel } from "../types.ts";

/** A policy to serve. */
export interface ServedPolicy {
  readonly model: TokenModel;
  readonly codec: Codec;
  /** The value of `model` in requests. */
  readonly name: string;
  /** A version that changes with the weights. */
  readonly weightVersion: string;
  /**
   * The prompt that the policy was trained with. A policy trained without policy text and tools (`none`) does not see
   * those that a client sends; they are used only to parse its calls.
   */
  readonly prompt: "full" | "none";
}

/**
 * HTTP status of a rejected request: malformed, budget used up, not allowed, not found, body too slow, conflicting data
 * or wrong order, too large, upstream failure, unavailable.
 */
export type RequestStatus =
  | 400
  | 402
  | 403
  | 404
  | 408
  | 409
  | 413
  | 502
  | 503;

/** Thrown to reject a request. The client sees the message. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: RequestStatus;
  constructor(message: string, status: RequestStatus = 400) {
    super(message);
    this.status = status;
  }
}
