/** What goals of users are made of in the domains of this folder: requests, in the order in which they are made. */

import type { Voice } from "../../../users/voice.ts";

/**
 * The goal of a user: their requests in the order in which they make them. The scripted user answers from it, and
 * gives none of it away before it is asked or is its turn.
 */
export interface Goal<R extends Request = Request> {
  readonly requests: readonly R[];
  /** How many phrasings of a sentence the user chooses from; all where it is left out. */
  readonly wording?: number;
  /** How the user writes. Default: `plain`. */
  readonly voice?: Voice;
  /**
   * Which phrasings of a sentence the user chooses from, where some are held out of training: the first two thirds,
   * or the others. Default: all.
   */
  readonly phrasings?: "train" | "held_out";
}

/** What requests of every domain have; a domain adds the details of its own. */
export interface Request {
  /** `question` where something is to be told, and nothing done. */
  readonly intent: string;
  /** Whether the details come with the request; otherwise each has to be asked for. */
  readonly forthcoming?: boolean;
  /** What is asked, for questions: `total of order #W123`. */
  readonly question?: string;
  /** Whether policy refuses it; the right outcome is then that nothing changes. */
  readonly refused?: boolean;
  /** The clause of policy that refuses it: `order.pending`. */
  readonly refusedBy?: string;
  /** Whether it is made only because the request before it was refused. */
  readonly fallback?: boolean;
  /** Details that the user wants at first, until they are read back: then they change their mind. */
  readonly before?: object;
  /** What must be told for it, as substrings; left out where the task's outputs are all for one request. */
  readonly outputs?: readonly string[];
}

/** Whether a request is met by a write. */
export function needsWrite({ intent, refused }: Request): boolean {
  return intent !== "question" && refused !== true;
}

/** Who a user is. */
export interface Identity {
  readonly firstName: string;
  readonly lastName: string;
  readonly zip: string;
  readonly email: string;
  /** How the user identifies themselves when asked openly. */
  readonly prefers: "email" | "name_zip";
  /** What they give instead where the desk knows its users by it: at the airline. */
  readonly userId?: string;
}
