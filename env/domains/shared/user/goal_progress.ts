/**
 * Tracks a scripted user's progress through a goal: the current request, whether the user has changed their mind about
 * it, and the number of replies without progress.
 */

import type { Goal, Request } from "../goal/goal.ts";

/** The number of replies after which the user ends the conversation, even if requests are still open. */
const MAX_REPLIES = 40;

/**
 * The number of replies without progress after which the user gives up on a request. A reply with progress counts as
 * half a reply, and makes the user give up only if the count has reached twice this number.
 */
const PATIENCE = 6;

/**
 * The number of times that the user corrects an agent that repeats the request incorrectly, before the user gives in.
 */
const MAX_CORRECTIONS = 3;

/** A user's progress through the requests of a goal. */
export class GoalProgress<R extends Request> {
  readonly #goal: Goal<R>;
  #current = 0;
  #replies = 0;
  #stalled = 0;
  #corrections = 0;
  #changed = false;
  /** Whether the user has agreed to the request as repeated by the agent. */
  agreed = false;
  /** Whether the user has doubted a refusal of the current request. */
  protested = false;

  constructor(goal: Goal<R>) {
    this.#goal = goal;
  }

  /** The current request as the user wants it at this point; `undefined` after the last request. */
  get wish(): R | undefined {
    const request = this.#goal.requests[this.#current];
    return this.hasFirstWish ? { ...request!, ...request!.before } : request;
  }

  /** Whether the user still wants the initial version of the current request and will change their mind. */
  get hasFirstWish(): boolean {
    const request = this.#goal.requests[this.#current];
    return request?.before !== undefined && !this.#changed;
  }

  /** The index of the user's current message; the opening has index 0. */
  get replies(): number {
    return this.#replies;
  }

  /** Whether the user has sent so many replies that they end the conversation. */
  get isTooLong(): boolean {
    return this.#replies > MAX_REPLIES;
  }

  /** Counts a reply. */
  hear(): void {
    this.#replies++;
  }

  /**
   * Replaces the initial version of the current request with the final version.
   * @returns The final version; `undefined` after the last request.
   */
  rethink(): R | undefined {
    this.#changed = true;
    return this.wish;
  }

  /**
   * Counts a message in which the agent repeats the request incorrectly.
   * @returns Whether the user still corrects the agent.
   */
  correct(): boolean {
    return this.#corrections++ < MAX_CORRECTIONS;
  }

  /**
   * Counts a reply without progress.
   * @returns Whether the user's patience has run out.
   */
  stall(): boolean {
    this.#stalled++;
    return this.#stalled >= PATIENCE;
  }

  /**
   * Counts a reply with progress, which uses up less of the user's patience than a reply without progress.
   * @returns Whether the user's patience has run out.
   */
  move(): boolean {
    this.#stalled += 0.5;
    return this.#stalled >= 2 * PATIENCE;
  }

  /** Whether the user waits for one more message before repeating the request. */
  get waits(): boolean {
    return this.#stalled % 2 === 1;
  }

  /**
   * Moves to the next request.
   * @returns The next request, or `undefined` if there is none.
   */
  next(): R | undefined {
    this.#current++;
    this.#changed = false;
    this.#stalled = 0;
    this.#corrections = 0;
    this.agreed = false;
    this.protested = false;
    return this.wish;
  }
}
