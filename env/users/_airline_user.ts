/**
 * The scripted customer of an airline: tells details when asked, agrees only to what it wants, and ends the
 * conversation when all is done or refused.
 *
 * @module
 */

import {
  type Goal,
  type Request,
  STOP,
  type Task,
  type User,
} from "../types.ts";
import {
  airlineRequestWords,
  type TripDetail,
  tripDetails,
} from "./_airline_words.ts";
import { hear, type Heard } from "./_hearing.ts";
import {
  farewellWords,
  nextWords,
  openingWords,
  type Phraser,
  yesWords,
} from "./_wording.ts";

/** After so many replies the customer hangs up, whatever is open. */
const MAX_REPLIES = 40;

/** After so many replies in a row that moved nothing the customer gives a request up. */
const PATIENCE = 6;

/** How often a wrong read-back is corrected before the customer lets it pass. */
const MAX_CORRECTIONS = 3;

const ASKING = /\?|\b(please|tell me|provide|share|give me|need|let me know)\b/;

const ID = /\buser id\b|\bwho (are you|am i)\b|\bidentif|\byour id\b/;

const DETAILS: Readonly<Record<TripDetail, RegExp>> = {
  reservation: /\breservation\b|\bwhich (trip|booking)\b|\bconfirmation\b/,
  route: /\bwhere\b|\bfrom\b.{0,30}\bto\b|\borigin\b|\bdestination\b|\broute\b/,
  date: /\b(which|what) (day|date)|\bdates?\b|\bwhen\b/,
  pick: /\b(which|what) (direct )?flights?\b|\bprefer/,
  cabin: /\bcabin\b|\bclass\b/,
  passengers: /\bpassengers?\b|\bwho (is|will|should|travels|flies)|\bborn\b/,
  bags: /\bbags?\b|\bbaggage\b|\bluggage\b/,
  insurance: /\binsur/,
  pay: /\bpay|\bcard\b|\brefund/,
};

/** What a scripted customer is made of. */
export interface AirlineScript {
  readonly task: Task;
  readonly goal: Goal;
  readonly say: Phraser;
}

/** A customer of an airline. */
export class AirlineUser implements User {
  readonly #script: AirlineScript;
  #current = 0;
  #replies = 0;
  #stalled = 0;
  #corrections = 0;
  #agreed = false;
  #protested = false;

  constructor(script: AirlineScript) {
    this.#script = script;
  }

  open(): Promise<string> {
    const [first] = this.#script.goal.requests;
    return Promise.resolve(
      first === undefined
        ? `hello. ${STOP}`
        : openingWords(first, this.#script.say),
    );
  }

  reply(message: string): Promise<string> {
    this.#replies++;
    const request = this.#script.goal.requests[this.#current];
    return Promise.resolve(
      request === undefined || this.#replies > MAX_REPLIES
        ? this.#farewell()
        : this.#answer(message, request),
    );
  }

  #answer(message: string, request: Request): string {
    const heard = hear(message, request.intent);
    const asked = this.#asked(message, { heard, request });
    if (this.#settled(message, { heard, request, asked })) return this.#next();
    const text = message.toLowerCase();
    if (!heard.wantsYes && ASKING.test(text) && ID.test(text)) {
      return this.#moved(`my user id is ${this.#script.task.userId}.`);
    }
    if (heard.wantsYes) return this.#consent(message, request);
    if (asked.length > 0) return this.#moved(`${asked.join(", ")}.`);
    if (heard.refuses && request.refused !== true) {
      this.#protested = true;
      return this.#moved(
        `are you sure? please check again: ${airlineRequestWords(request)}.`,
      );
    }
    return this.#nudge(heard, request);
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
    if (heard.wantsYes || asked.length > 0) return false;
    if (heard.refuses) return request.refused === true || this.#protested;
    if (request.intent === "question") {
      const said = message.toLowerCase().replaceAll(",", "");
      return (request.outputs ?? []).some((one) =>
        said.includes(one.toLowerCase())
      );
    }
    return heard.reports && (this.#agreed || heard.asksMore);
  }

  #consent(message: string, request: Request): string {
    const wrong = contradictions(message, { request, task: this.#script.task });
    if (wrong && this.#corrections < MAX_CORRECTIONS) {
      this.#corrections++;
      const words = { ...request, forthcoming: true };
      return this.#moved(`no, i want to ${airlineRequestWords(words)}.`);
    }
    this.#agreed = true;
    return this.#moved(yesWords(this.#script.say));
  }

  #nudge(heard: Heard, request: Request): string {
    this.#stalled++;
    if (this.#stalled >= PATIENCE) return this.#next();
    if (!heard.asksMore && this.#stalled % 2 === 1) return "ok.";
    const words = airlineRequestWords(request);
    return request.intent === "question"
      ? `please tell me the ${words}.`
      : `i still want to ${words}.`;
  }

  /** Answers without end wear patience out too, more slowly. */
  #moved(words: string): string {
    this.#stalled += 0.5;
    return this.#stalled >= 2 * PATIENCE ? this.#next() : words;
  }

  #next(): string {
    this.#current++;
    this.#stalled = 0;
    this.#corrections = 0;
    this.#agreed = false;
    this.#protested = false;
    const request = this.#script.goal.requests[this.#current];
    return request === undefined
      ? this.#farewell()
      : nextWords(request, this.#script.say);
  }

  #farewell(): string {
    return `${farewellWords(this.#script.say)} ${STOP}`;
  }
}

/** Whether a read-back is about something else than the customer wants. Silence contradicts nothing. */
function contradictions(
  message: string,
  { request, task }: { request: Request; task: Task },
): boolean {
  const { trip = {}, intent } = request;
  const text = message.toLowerCase();
  const others = (found: readonly string[], own: readonly string[]) =>
    found.length > 0 && own.length > 0 &&
    !found.some((one) => own.includes(one));
  const ids = message.match(/\b(?!HAT\d)[A-Z]{3}[A-Z0-9]{3}\b/g) ?? [];
  const flights = message.match(/\bHAT\d+\b/g) ?? [];
  const days = text.match(/\b\d{4}-\d\d-\d\d\b/g) ?? [];
  const cabins = text.match(/basic economy|basic_economy|economy|business/g) ??
    [];
  const bags = [...text.matchAll(/(\d+) (?:more )?bags?\b/g)].map((one) =>
    one[1]!
  );
  const paid = text.match(/credit card|gift card|certificate/g) ?? [];
  const wanted = JSON.stringify(
    task.actions.map((one) =>
      [...one.arguments].map(([, value]) => spelled(value))
    ),
  );
  const cancels = /\bcancel/.test(text);
  return others(
    ids,
    trip.reservationId === undefined ? [] : [trip.reservationId],
  ) ||
    others(
      days,
      [trip.date, trip.returnDate].filter((one) => one !== undefined),
    ) ||
    others(
      cabins.map((one) => one.replace("_", " ")),
      trip.cabin === undefined ? [] : [trip.cabin.replace("_", " ")],
    ) ||
    (bags.length > 0 && trip.bags !== undefined &&
      !bags.includes(String(Math.abs(trip.bags)))) ||
    others(paid, trip.pay ?? []) ||
    flights.some((one) => !wanted.includes(one)) ||
    cancels !== (intent === "cancel") && (cancels || intent === "cancel");
}

function spelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(spelled);
  return value instanceof Map ? [...value.values()].map(spelled) : value;
}
