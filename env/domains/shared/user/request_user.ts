/**
 * The base class of scripted users, who open with a request, answer questions, move on to the next request, and say
 * goodbye.
 */

import { STOP, type User } from "../../../types.ts";
import { voiced } from "../../../users/voice.ts";
import type { Goal, Request } from "../goal/goal.ts";
import { GoalProgress } from "./goal_progress.ts";
import {
  farewellWords,
  nextWords,
  openingWords,
  type Phraser,
} from "./wording.ts";

/** The goal of a scripted user, and how the user phrases it. */
export interface UserScript<R extends Request> {
  readonly goal: Goal<R>;
  readonly say: Phraser;
  /** The first message. Default: a phrasing of the first request. */
  readonly opening?: string | undefined;
}

/** A deterministic user that needs no model and makes its requests one after another. */
export abstract class RequestUser<R extends Request> implements User {
  protected readonly progress: GoalProgress<R>;
  readonly say: Phraser;
  readonly #script: UserScript<R>;

  constructor(script: UserScript<R>) {
    this.#script = script;
    this.progress = new GoalProgress(script.goal);
    this.say = script.say;
  }

  open(): Promise<string> {
    const { opening } = this.#script;
    const first = this.progress.wish;
    if (opening !== undefined) return Promise.resolve(opening);
    return Promise.resolve(
      first === undefined
        ? `hello. ${STOP}`
        : this.#voiced(openingWords(first, this)),
    );
  }

  reply(message: string): Promise<string> {
    this.progress.hear();
    const request = this.progress.wish;
    return Promise.resolve(
      request === undefined || this.progress.isTooLong
        ? this.farewell()
        : this.#voiced(this.answer(message, request)),
    );
  }

  /** Phrases a request as the continuation of "i want to" or, for a question, of "what is the". */
  abstract words(request: R): string;

  /** Answers an agent's message while a request is open. */
  protected abstract answer(message: string, request: R): string;

  /**
   * Counts a reply with progress. Returns `words`, or the next request if the current request has taken too many
   * replies.
   */
  protected moved(words: string): string {
    return this.progress.move() ? this.next() : words;
  }

  /** Moves to the next request. Returns the message that states this request, or the farewell if there is none. */
  protected next(): string {
    const request = this.progress.next();
    return request === undefined ? this.farewell() : nextWords(request, this);
  }

  protected farewell(): string {
    return `${farewellWords(this.say)} ${STOP}`;
  }

  #voiced(text: string): string {
    const { voice } = this.#script.goal;
    return voiced(text, { voice, index: this.progress.replies });
  }
}
