/** What is served: a policy, how it is talked to, and what it calls itself. */

import type { Codec } from "../tokens/conversation.ts";
import type { TokenModel } from "../types.ts";

/** A policy to be served. */
export interface ServedPolicy {
  readonly model: TokenModel;
  readonly codec: Codec;
  /** What `model` has to be in requests. */
  readonly name: string;
  /** Changes with the weights. */
  readonly weightVersion: string;
  /**
   * What the policy is used to see before the conversation. One that learnt without policy text and tools
   * (`none`) is not shown those that a client sends: they are only used to read its calls.
   */
  readonly prompt: "full" | "none";
}

/**
 * Why: malformed, over the budget, not allowed, not there, too slow, of other data or out of turn, too large, failed
 * behind the server, not now.
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

/** A request that cannot be answered; its message is for the client. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: RequestStatus;
  constructor(message: string, status: RequestStatus = 400) {
    super(message);
    this.status = status;
  }
}
