/** Defines the policy that a server serves, and the errors that reject requests. */

import type { Codec } from "../tokens/conversation.ts";
import type { TokenModel } from "../types.ts";

/** A policy that a server offers to its clients, and the codec for its conversations. */
export interface ServedPolicy {
  readonly model: TokenModel;
  readonly codec: Codec;
  /** The policy's name, which requests pass as `model`. */
  readonly name: string;
  /** The version of the weights. It changes whenever the weights are updated. */
  readonly weightVersion: string;
  /**
   * The prompt that the policy was trained with. A policy that was trained without a system prompt and tools (`none`)
   * does not see a client's system message and tools. The tools are then used only to parse the policy's calls.
   */
  readonly prompt: "full" | "none";
}

/**
 * The HTTP status of a rejected request. 400: malformed. 402: the budget is spent. 403: not allowed. 404: not found.
 * 408: the body did not arrive in time. 409: conflicting data or wrong order. 413: too large. 502: a model failed. 503:
 * unavailable.
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

/** An error that rejects a request. The client sees the message. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: RequestStatus;
  constructor(message: string, status: RequestStatus = 400) {
    super(message);
    this.status = status;
  }
}
