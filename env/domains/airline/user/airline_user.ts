/**
 * The scripted user of the airline domain. It states details when asked, corrects an agent that reads the request back
 * incorrectly, and ends the conversation after the last request.
 */

import type { Database } from "../../../database.ts";
import type { UserStart } from "../../../domain.ts";
import { createRng } from "../../../random.ts";
import type { Task, User } from "../../../types.ts";
import { hear, type Heard } from "../../shared/user/hearing.ts";
import {
  RequestUser,
  type UserScript,
} from "../../shared/user/request_user.ts";
import { phraser, yesWords } from "../../shared/user/wording.ts";
import type {
  AirlineIntent,
  AirlineRequest,
  AirlineTask,
} from "../goal/request.ts";
import { benchUser } from "./bench_user.ts";
import { ID, idWords } from "./id_words.ts";
import { contradicts } from "./read_back.ts";
import {
  airlineRequestWords,
  type TripDetail,
  tripDetails,
} from "./trip_words.ts";

/**
 * Creates the scripted user for an airline task.
 * @throws {DataError} If the task has no goal and its user is not in the database.
 */
export function airlineUser(
  start: UserStart & { readonly task: AirlineTask },
): User {
  const { task, database, seed } = start;
  const { goal } = task;
  if (goal === undefined) return benchUser(start);
  const say = phraser(createRng(seed, "scripted", task.id), {
    wording: goal.wording,
    part: goal.phrasings,
  });
  return new AirlineUser({ task, goal, say, database });
}

const ASKING = /\?|\b(please|tell me|provide|share|give me|need|let me know)\b/;

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

/** Matches words that ask whether to proceed. */
const GO_AHEAD =
  /\byes\b.{0,12}\bno\b|\b(confirm|proceed|go ahead|correct|right|me to|shall i)\b/;

/** Matches questions that a yes alone does not answer: a choice, or an offer of insurance. */
const OFFER = /\bor\b|\binsur/;

/**
 * Interprets an agent's message. A choice or an offer counts as a question about a detail rather than a request for
 * consent, unless the message also asks whether to proceed.
 */
function listen(message: string, { intent }: AirlineRequest): Heard {
  const heard = hear(message, { topic: TOPIC[intent] });
  const text = message.toLowerCase();
  const offers = text.split(/(?<=[.?!])\s+/)
    .some((sentence) => ASKING.test(sentence) && OFFER.test(sentence));
  return offers && !GO_AHEAD.test(text) ? { ...heard, wantsYes: false } : heard;
}

const TOPIC: Readonly<Record<AirlineIntent, RegExp>> = {
  cancel: /cancel/,
  question: /./,
  book: /book|reserv|trip/,
  change_flights: /flight|chang|updat|mov/,
  change_cabin: /cabin|chang|updat|upgrad/,
  change_passengers: /passenger|chang|updat/,
  add_bags: /bag|updat|chang/,
  certificate: /certificate|compensat|dollar/,
};

/** The scripted user of a task whose goal lists airline requests. */
class AirlineUser extends RequestUser<AirlineRequest> {
  readonly #task: Task;
  readonly #database: Database;

  constructor(
    { task, database, ...script }: UserScript<AirlineRequest> & {
      readonly task: Task;
      readonly database: Database;
    },
  ) {
    super(script);
    this.#task = task;
    this.#database = database;
  }

  override words(request: AirlineRequest): string {
    return airlineRequestWords(request);
  }

  protected override answer(message: string, request: AirlineRequest): string {
    const heard = listen(message, request);
    const asked = this.#asked(message, { heard, request });
    if (this.#settled(message, { heard, request, asked })) return this.next();
    const text = message.toLowerCase();
    if (!heard.wantsYes && ASKING.test(text) && ID.test(text)) {
      return this.moved(idWords(this.#task.userId, this.say));
    }
    if (heard.wantsYes) return this.#consent(message, request);
    if (asked.length > 0) return this.moved(this.#tell(asked));
    if (heard.refuses && request.refused !== true) {
      this.progress.protested = true;
      return this.moved(
        `are you sure? please check again: ${airlineRequestWords(request)}.`,
      );
    }
    return this.#nudge(heard, request);
  }

  #tell(details: readonly string[]): string {
    const all = details.join(", ");
    return this.say([`${all}.`, `${all}, please.`, `sure: ${all}.`]);
  }

  /** Returns the details that a message asks for, in the user's words. */
  #asked(
    message: string,
    { heard, request }: { heard: Heard; request: AirlineRequest },
  ): string[] {
    if (heard.wantsYes || heard.asksMore) return [];
    const asking = message.toLowerCase().split(/(?<=[.?!])\s+/)
      .filter((sentence) => ASKING.test(sentence) && !ID.test(sentence))
      .join(" ");
    return [...tripDetails(request)]
      .filter(([kind]) => DETAILS[kind].test(asking))
      .map(([, words]) => words);
  }

  /** Checks whether the request is settled: done, answered or finally refused. */
  #settled(
    message: string,
    { heard, request, asked }: {
      heard: Heard;
      request: AirlineRequest;
      asked: readonly string[];
    },
  ): boolean {
    const { protested, agreed } = this.progress;
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

  #consent(message: string, request: AirlineRequest): string {
    const progress = this.progress;
    const [task, database] = [this.#task, this.#database];
    const isFirst = progress.hasFirstWish;
    const wrong = contradicts(message, { request, task, database, isFirst });
    if (wrong && progress.correct()) {
      const words = { ...request, forthcoming: true };
      return this.moved(`no, i want to ${airlineRequestWords(words)}.`);
    }
    if (isFirst) return this.#rethink(request);
    progress.agreed = true;
    return this.moved(yesWords(this.say));
  }

  /**
   * Changes the user's mind after the agent has repeated the request correctly.
   * @returns A message with the details that have changed.
   */
  #rethink(first: AirlineRequest): string {
    const now = this.progress.rethink() ?? first;
    const had = tripDetails(first);
    const changed = [...tripDetails(now)]
      .filter(([kind, words]) => had.get(kind) !== words)
      .map(([, words]) => words);
    return this.moved(
      `wait, i have changed my mind. make it ${changed.join(", ")}.`,
    );
  }

  #nudge(heard: Heard, request: AirlineRequest): string {
    if (this.progress.stall()) return this.next();
    if (!heard.asksMore && this.progress.waits) return "ok.";
    const words = airlineRequestWords(request);
    return request.intent === "question"
      ? `please tell me the ${words}.`
      : `i still want to ${words}.`;
  }
}
