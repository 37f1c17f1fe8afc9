/**
 * The scripted customer of an airline: tells details when asked, agrees only to what it wants, and ends the
 * conversation when all is done or refused.
 */

import type { Database } from "../../../database.ts";
import {
  type Goal,
  type Request,
  STOP,
  type Task,
  type User,
} from "../../../types.ts";
import { contradicts } from "./read_back.ts";
import {
  airlineRequestWords,
  type TripDetail,
  tripDetails,
} from "./trip_words.ts";
import { Course } from "../../../users/course.ts";
import { hear, type Heard } from "../../retail/user/hearing.ts";
import { voiced } from "../../../users/voice.ts";
import {
  farewellWords,
  nextWords,
  openingWords,
  type Phraser,
  yesWords,
} from "../../../users/wording.ts";

const ASKING = /\?|\b(please|tell me|provide|share|give me|need|let me know)\b/;

const ID = /\buser id\b|\bwho (are you|am i)\b|\bidentif|\byour id\b/;

const DETAILS: Readonly<Record<TripDetail, RegExp>> = {
  reservation: /\breservation\b|\bwhich (trip|booking)\b|\bconfirmation\b/,
  route:
    /\bwhere\b|\bfrom\b.{0,30}\bto\b|\borigin\b|\bdestination\b|\broute\b|\b(departure|arrival) (city|airport)/,
  date:
    /\b(which|what) (day|date)|\bdates?\b(?! of birth)|\bwhen\b(?!.{0,20}\bborn)/,
  pick: /\b(which|what) (direct )?flights?\b|\bprefer/,
  cabin: /\bcabin\b|\bclass\b/,
  passengers: /\bpassengers?\b|\bwho (is|will|should|travels|flies)|\bborn\b/,
  bags: /\bbags?\b|\bbaggage\b|\bluggage\b/,
  insurance: /\binsur/,
  pay: /\bpay|\bcard\b|\brefund/,
};

/** What asks for a yes and nothing else. */
const GO_AHEAD =
  /\byes\b.{0,12}\bno\b|\b(confirm|proceed|go ahead|correct|right|me to|shall i)\b/;

/** What a mere yes would not answer: a choice, or an offer of insurance. */
const OFFER = /\bor\b|\binsur/;

/** What is heard; an offer is a question for a detail, however it is put. */
function listen(message: string, { intent }: Request): Heard {
  const heard = hear(message, intent);
  const text = message.toLowerCase();
  const offers = text.split(/(?<=[.?!])\s+/)
    .some((sentence) => ASKING.test(sentence) && OFFER.test(sentence));
  return offers && !GO_AHEAD.test(text) ? { ...heard, wantsYes: false } : heard;
}

/** What a scripted customer is made of. */
export interface AirlineScript {
  readonly task: Task;
  readonly goal: Goal;
  readonly say: Phraser;
  /** The untouched database: customers know their own reservations. */
  readonly database: Database;
}

/** A customer of an airline. */
export class AirlineUser implements User {
  readonly #script: AirlineScript;
  readonly #course: Course;

  constructor(script: AirlineScript) {
    this.#script = script;
    this.#course = new Course(script.goal);
  }

  open(): Promise<string> {
    const first = this.#course.wish;
    return Promise.resolve(
      first === undefined
        ? `hello. ${STOP}`
        : this.#voiced(openingWords(first, this.#script.say)),
    );
  }

  reply(message: string): Promise<string> {
    const course = this.#course;
    course.hear();
    const request = course.wish;
    return Promise.resolve(
      request === undefined || course.isWorn
        ? this.#farewell()
        : this.#voiced(this.#answer(message, request)),
    );
  }

  #voiced(text: string): string {
    const { voice } = this.#script.goal;
    return voiced(text, { voice, index: this.#course.replies });
  }

  #answer(message: string, request: Request): string {
    const heard = listen(message, request);
    const asked = this.#asked(message, { heard, request });
    if (this.#settled(message, { heard, request, asked })) return this.#next();
    const text = message.toLowerCase();
    if (!heard.wantsYes && ASKING.test(text) && ID.test(text)) {
      return this.#moved(this.#idWords());
    }
    if (heard.wantsYes) return this.#consent(message, request);
    if (asked.length > 0) return this.#moved(this.#tell(asked));
    if (heard.refuses && request.refused !== true) {
      this.#course.protested = true;
      return this.#moved(
        `are you sure? please check again: ${airlineRequestWords(request)}.`,
      );
    }
    return this.#nudge(heard, request);
  }

  #idWords(): string {
    const { say, task: { userId } } = this.#script;
    return say([
      `my user id is ${userId}.`,
      `it is ${userId}.`,
      `sure, ${userId}.`,
    ]);
  }

  #tell(details: readonly string[]): string {
    const all = details.join(", ");
    return this.#script.say([`${all}.`, `${all}, please.`, `sure: ${all}.`]);
  }

  /** The details that a message asks for, in the customer's words. */
  #asked(
    message: string,
    { heard, request }: { heard: Heard; request: Request },
  ): string[] {
    if (heard.wantsYes || heard.asksMore) return [];
    const asking = message.toLowerCase().split(/(?<=[.?!])\s+/)
      .filter((sentence) => ASKING.test(sentence) && !ID.test(sentence))
      .join(" ");
    return [...tripDetails(request)]
      .filter(([kind]) => DETAILS[kind].test(asking))
      .map(([, words]) => words);
  }

  /** Whether the request is over: done, answered or refused for good. */
  #settled(
    message: string,
    { heard, request, asked }: {
      heard: Heard;
      request: Request;
      asked: readonly string[];
    },
  ): boolean {
    const { protested, agreed } = this.#course;
    if (heard.wantsYes || asked.length > 0) return false;
    if (heard.refuses) return request.refused === true || protested;
    if (request.intent === "question") {
      const said = message.toLowerCase().replaceAll(",", "");
      return (request.outputs ?? []).some((one) =>
        said.includes(one.toLowerCase())
      );
    }
    return heard.reports && (agreed || heard.asksMore);
  }

  #consent(message: string, request: Request): string {
    const course = this.#course;
    const { task, database, say } = this.#script;
    const isFirst = course.hasFirstWish;
    const wrong = contradicts(message, { request, task, database, isFirst });
    if (wrong && course.correct()) {
      const words = { ...request, forthcoming: true };
      return this.#moved(`no, i want to ${airlineRequestWords(words)}.`);
    }
    if (isFirst) return this.#rethink(request);
    course.agreed = true;
    return this.#moved(yesWords(say));
  }

  /** What was read back is what the customer wanted; they say what is to be otherwise. */
  #rethink(first: Request): string {
    const now = this.#course.rethink() ?? first;
    const had = tripDetails(first);
    const changed = [...tripDetails(now)]
      .filter(([kind, words]) => had.get(kind) !== words)
      .map(([, words]) => words);
    return this.#moved(
      `wait, i have changed my mind. make it ${changed.join(", ")}.`,
    );
  }

  #nudge(heard: Heard, request: Request): string {
    if (this.#course.stall()) return this.#next();
    if (!heard.asksMore && this.#course.waits) return "ok.";
    const words = airlineRequestWords(request);
    return request.intent === "question"
      ? `please tell me the ${words}.`
      : `i still want to ${words}.`;
  }

  #moved(words: string): string {
    return this.#course.move() ? this.#next() : words;
  }

  #next(): string {
    const request = this.#course.next();
    return request === undefined
      ? this.#farewell()
      : nextWords(request, this.#script.say);
  }

  #farewell(): string {
    return `${farewellWords(this.#script.say)} ${STOP}`;
  }
}
