/** What scripted users have in common: they open with a request, answer, go on to the next, and say goodbye. */

import { STOP, type User } from "../../../types.ts";
import { voiced } from "../../../users/voice.ts";
import type { Goal, Request } from "../goal/goal.ts";
import { Course } from "./course.ts";
import {
  farewellWords,
  nextWords,
  openingWords,
  type Phraser,
} from "./wording.ts";

/** What a user plays. */
export interface UserScript<R extends Request> {
  readonly goal: Goal<R>;
  readonly say: Phraser;
  /** The first message, where the requests' own words are not to open the conversation. */
  readonly opening?: string | undefined;
}

/** A deterministic user without a model, who makes their requests one after the other. */
export abstract class RequestUser<R extends Request> implements User {
  protected readonly course: Course<R>;
  readonly say: Phraser;
  readonly #script: UserScript<R>;

  constructor(script: UserScript<R>) {
    this.#script = script;
    this.course = new Course(script.goal);
    this.say = script.say;
  }

  open(): Promise<string> {
    const { opening } = this.#script;
    const first = this.course.wish;
    if (opening !== undefined) return Promise.resolve(opening);
    return Promise.resolve(
      first === undefined
        ? `hello. ${STOP}`
        : this.#voiced(openingWords(first, this)),
    );
  }

  reply(message: string): Promise<string> {
    this.course.hear();
    const request = this.course.wish;
    return Promise.resolve(
      request === undefined || this.course.isWorn
        ? this.farewell()
        : this.#voiced(this.answer(message, request)),
    );
  }

  /** What is wanted, to follow "i want to" (questions: "what is the"). */
  abstract words(request: R): string;

  /** The answer to what the agent said, while a request is open. */
  protected abstract answer(message: string, request: R): string;

  /** Says something that moves the conversation on; in the long run that wears out too. */
  protected moved(words: string): string {
    return this.course.move() ? this.next() : words;
  }

  /** Makes the next request. */
  protected next(): string {
    const request = this.course.next();
    return request === undefined ? this.farewell() : nextWords(request, this);
  }

  protected farewell(): string {
    return `${farewellWords(this.say)} ${STOP}`;
  }

  #voiced(text: string): string {
    const { voice } = this.#script.goal;
    return voiced(text, { voice, index: this.course.replies });
  }
}
