/**
 * The types of users' goals in the built-in domains. A goal lists requests in the order in which the user makes them.
 */

import type { Voice } from "../../../users/voice.ts";

/**
 * The goal of a user. The scripted user makes the requests one at a time. It states the details of a request when asked
 * or, if the request is {@linkcode Request.forthcoming}, with the request.
 */
export interface Goal<R extends Request = Request> {
  readonly requests: readonly R[];
  /**
   * The maximum number of phrasings of each sentence, counted from the first, that the user chooses from. Default: all.
   */
  readonly wording?: number;
  /** The user's style of writing. Default: `plain`. */
  readonly voice?: Voice;
  /**
   * The part of the phrasings that the user chooses from: `train` for the first two thirds, or `held_out` for the rest.
   * If the part is empty, the user chooses from all phrasings. Default: all.
   */
  readonly phrasings?: "train" | "held_out";
}

/** The fields that requests of all domains share; each domain adds its own details. */
export interface Request {
  /** The kind of request; `question` for a request for information. */
  readonly intent: string;
  /**
   * Whether the user states the details with the request; otherwise, the agent has to ask for each of them. Default:
   * `false`.
   */
  readonly forthcoming?: boolean;
  /** The information that a question asks for: `total of order #W123`. */
  readonly question?: string;
  /** Whether policy refuses the request. A refused request must not change anything. */
  readonly refused?: boolean;
  /** The id of the policy's clause that refuses the request: `order.pending`. */
  readonly refusedBy?: string;
  /** Whether the user makes the request only because the previous request was refused. */
  readonly fallback?: boolean;
  /** Details that the user wants at first, before changing their mind when the agent repeats them. */
  readonly before?: object;
  /**
   * Strings that the agent's messages must contain for this request; omitted if all the task's outputs belong to one
   * request.
   */
  readonly outputs?: readonly string[];
}

/** Checks whether a request requires a write. Questions and refused requests do not. */
export function needsWrite({ intent, refused }: Request): boolean {
  return intent !== "question" && refused !== true;
}

/** The details with which a user identifies themselves. */
export interface Identity {
  readonly firstName: string;
  readonly lastName: string;
  readonly zip: string;
  readonly email: string;
  /** The user's choice of how to identify themselves, if the agent accepts either way. */
  readonly prefers: "email" | "name_zip";
  /** The user id, in domains that identify users by it, such as the airline. */
  readonly userId?: string;
}
