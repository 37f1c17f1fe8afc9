/**
 * Where a scripted user is in their goal: which request it is, what they want of it by now, and how long nothing
 * has moved.
 */

import type { Goal, Request } from "../goal/goal.ts";

/** After so many replies the user hangs up, whatever is open. */
const MAX_REPLIES = 40;

/** After so many replies in a row that moved nothing the user gives a request up. */
const PATIENCE = 6;

/** How often a wrong read-back is corrected before the user lets it pass. */
const MAX_CORRECTIONS = 3;

/** A user's way through their requests. */
export class Course<R extends Request> {
  readonly #goal: Goal<R>;
  #current = 0;
  #replies = 0;
  #stalled = 0;
  #corrections = 0;
  #changed = false;
  /** Whether the user has agreed to what was read back. */
  agreed = false;
  /** Whether the user has doubted a refusal. */
  protested = false;

  constructor(goal: Goal<R>) {
    this.#goal = goal;
  }

  /** The current request as the user wants it by now; `undefined` after the last. */
  get wish(): R | undefined {
    const request = this.#goal.requests[this.#current];
    return this.hasFirstWish ? { ...request!, ...request!.before } : request;
  }

  /** Whether the user still wants what they will change their mind about. */
  get hasFirstWish(): boolean {
    const request = this.#goal.requests[this.#current];
    return request?.before !== undefined && !this.#changed;
  }

  /** Which of the user's messages is next, from 0. */
  get replies(): number {
    return this.#replies;
  }

  /** Whether it has taken too long altogether. */
  get isWorn(): boolean {
    return this.#replies > MAX_REPLIES;
  }

  /** Counts a reply. */
  hear(): void {
    this.#replies++;
  }

  /** Changes the user's mind. @returns What they want now. */
  rethink(): R | undefined {
    this.#changed = true;
    return this.wish;
  }

  /** Takes note of a wrong read-back. @returns Whether it is worth correcting. */
  correct(): boolean {
    return this.#corrections++ < MAX_CORRECTIONS;
  }

  /** Takes note of a reply that moved nothing. @returns Whether patience has run out. */
  stall(): boolean {
    this.#stalled++;
    return this.#stalled >= PATIENCE;
  }

  /** Takes note of a reply that answered something: without end that wears patience out too, more slowly. */
  move(): boolean {
    this.#stalled += 0.5;
    return this.#stalled >= 2 * PATIENCE;
  }

  /** Whether the user waits before they repeat themselves. */
  get waits(): boolean {
    return this.#stalled % 2 === 1;
  }

  /** Goes on to the next request. @returns It, or `undefined` after the last. */
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
